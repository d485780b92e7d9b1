// Which records are to be printed: those with a certain key, those whose value matches a pattern.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/format/record_batch.h"

namespace re2 {
class RE2;
}

namespace pg {

class RecordFilter {
 public:
  void only_key(std::string_view key) { key_ = key; }
  // A regular expression in RE2's syntax, searched for in the bytes of the value; a null value never matches. Time and
  // memory are bounded whatever the pattern and the value. invalid_argument: it is not understood.
  Result<> only_matching(std::string_view pattern);

  bool keeps_all() const { return !key_ && !pattern_; }
  bool keeps(const RecordView& record) const;
  // Whether the key alone does not rule it out.
  bool keeps_key(const RecordView& record) const { return !key_ || record.key == *key_; }

 private:
  std::optional<std::string> key_;
  std::shared_ptr<const re2::RE2> pattern_;
};

}  // namespace pg
