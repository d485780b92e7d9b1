#include "core/store/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/text.h"

namespace pg {
namespace {

bool is_ratio(std::string_view value) {
  const char* const end = value.data() + value.size();
  double ratio = -1;
  const auto parsed = std::from_chars(value.data(), end, ratio, std::chars_format::fixed);
  return parsed.ec == std::errc() && parsed.ptr == end && ratio >= 0 && ratio <= 1;
}

}  // namespace

bool ConfigValues::has_word(std::string_view word) const {
  const auto words = split(words_, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool ConfigValues::allow(std::string_view value) const {
  switch (kind_) {
    case Kind::number: {
      const auto number = parse_integer(value);
      return number && *number >= least_ && *number <= most_;
    }
    case Kind::ratio:
      return is_ratio(value);
    case Kind::word:
      return has_word(value);
    case Kind::words:
      break;
  }
  const auto parts = split(value, ',');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) { return has_word(part); });
}

std::string ConfigValues::text() const {
  if (kind_ == Kind::number || kind_ == Kind::ratio) return fmt::format("a number from {} to {}", least_, most_);
  const auto words = split(words_, ' ');
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool is_last = i + 1 == words.size();
    text += i == 0 ? "" : is_last && kind_ == Kind::word ? " or " : ", ";
    text += words[i];
  }
  return kind_ == Kind::word ? text : fmt::format("one or more of {}, with commas between them", text);
}

}  // namespace pg
