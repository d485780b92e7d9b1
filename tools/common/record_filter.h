// Which records are to be printed: those with one of certain keys, those whose value matches one of several patterns.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tools/common/api.h"

namespace re2 {
class RE2;
}

namespace pg {

class RecordFilter {
 public:
  // Each call adds a key or a pattern: a record with any of them is kept, as with grep -e.
  void only_key(std::string_view key) { keys_.emplace_back(key); }
  // A regular expression in RE2's syntax, searched for in the bytes of the value; a null value never matches. Time and
  // memory are bounded whatever the pattern and the value. invalid_argument: it is not understood.
  Result<> only_matching(std::string_view pattern);

  bool keeps_all() const { return keys_.empty() && patterns_.empty(); }
  bool keeps(const RecordView& record) const;
  // Whether the key alone does not rule it out.
  bool keeps_key(const RecordView& record) const;

 private:
  std::vector<std::string> keys_;
  std::vector<std::shared_ptr<const re2::RE2>> patterns_;
};

}  // namespace pg
