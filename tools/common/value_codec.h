// Values by their schemas: JSON to Confluent's wire format and back.
//
// There are two implementations, and linking chooses. tools/common/value_codec/with_schemas.cc knows the languages of
// schemas. by_twin.cc knows none, so that programs which rarely need them start as fast as if there were none: it
// replaces the process by its twin, the same program with the other implementation, in libexec/pilgrimage.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"
#include "tools/common/api.h"

namespace pg {

class ValueCodec {
 public:
  virtual ~ValueCodec() = default;

  // One JSON text to a value that names its schema; valid until the next call. conflict: it does not match, and where
  // and why.
  virtual Result<std::string_view> encode(std::string_view json) = 0;
  // A value to one line of JSON, by the schema that it names; valid until the next call. invalid_argument: it names
  // none, or is not what that says. not_found: nobody has registered it.
  virtual Result<std::string_view> decode(std::string_view value) = 0;
};

// A subject, and which of its versions: "SUBJECT[:VERSION]", where VERSION is a number or "latest". A subject may have
// colons.
struct SubjectChoice {
  std::string subject;
  std::optional<int32_t> version;  // none: the latest
  bool names_version = false;      // also as "latest"
};
Result<SubjectChoice> parse_subject_choice(const std::string& text);

struct ValueCodecOptions {
  std::optional<SubjectChoice> schema = {};  // what encode() makes; none: it is only to decode
  bool takes_encoded = false;  // encode() also takes a value that names a version of this subject and is what that says
  Deadline deadline;
};

// This very run, for a process that has to begin it anew.
struct ProgramRun {
  std::string program;                 // "pg-produce"
  std::vector<std::string> arguments;  // behind its name
};

// Borrows `cluster`. Call it before anything was read, printed or written: it may not return, but begin the program
// anew. Errors: not_found, unsupported_version, invalid_argument, and those of the log.
Result<std::unique_ptr<ValueCodec>> make_value_codec(Cluster& cluster, const ValueCodecOptions& options,
                                                     const ProgramRun& run);

}  // namespace pg
