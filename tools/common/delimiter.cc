#include "tools/common/delimiter.h"

#include <fmt/format.h>

namespace pg {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return {};
}

}  // namespace

std::optional<char> take_escape(std::string_view& rest) {
  if (rest.empty()) return {};
  const char c = rest.front();
  rest.remove_prefix(1);
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x': {
      if (rest.size() < 2) return {};
      const auto high = hex_digit(rest[0]), low = hex_digit(rest[1]);
      if (!high || !low) return {};
      rest.remove_prefix(2);
      return static_cast<char>(*high << 4 | *low);
    }
    default:
      return {};
  }
}

Result<std::string> parse_delimiter(std::string_view text) {
  if (text == "none") return std::string();
  if (text.empty())
    return fail(Errc::invalid_argument, "a delimiter has at least one byte; 'none' means there is none");
  std::string delimiter;
  for (std::string_view rest = text; !rest.empty();) {
    const char c = rest.front();
    rest.remove_prefix(1);
    const auto byte = c == '\\' ? take_escape(rest) : std::optional(c);
    if (!byte)
      return fail(Errc::invalid_argument,
                  fmt::format("'{}' has an unknown escape; there are \\n \\t \\0 \\\\ \\xHH", text));
    delimiter += *byte;
  }
  return delimiter;
}

Result<Framing> parse_framing(std::string_view text) {
  if (text == "lines") return Framing::lines;
  if (text == "len32be") return Framing::len32be;
  return fail(Errc::invalid_argument, fmt::format("'{}' is not lines or len32be", text));
}

}  // namespace pg
