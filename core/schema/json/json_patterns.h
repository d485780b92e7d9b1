// The regular expressions of a schema, made once, by RE2: no text makes one of them slow or its stack deep.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/base/result.h"

namespace pg {

class JsonPatterns {
 public:
  // Errc::invalid_argument: it is not a regular expression, or all of them together are too large.
  Result<> add(const std::string& pattern);

  // Of one that was added. None: JSON Schema allows it, but RE2 cannot do it (looking around, references back).
  const re2::RE2* find(const std::string& pattern) const;

 private:
  std::unordered_map<std::string, std::unique_ptr<re2::RE2>> patterns_;
  size_t size_ = 0;
};

// Somewhere in `text`, as JSON Schema means it.
bool matches_anywhere(const re2::RE2& pattern, std::string_view text);

}  // namespace pg
