// How records are told apart in a stream. The -d and -K arguments: any string, with \n \t \0 \\ \xHH for bytes that a
// shell cannot pass. The --framing argument: by delimiters, or by lengths, which any bytes survive.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace pg {

// Takes the escape sequence behind a backslash off the front of `rest`; empty if it is none of ours.
std::optional<char> take_escape(std::string_view& rest);

// invalid_argument for an unknown escape. "none" is the empty delimiter.
Result<std::string> parse_delimiter(std::string_view text);

enum class Framing {
  lines,    // each record ends with a delimiter
  len32be,  // before each record its length, as a big-endian 32-bit number
};
inline constexpr size_t kFrameLengthBytes = 4;

Result<Framing> parse_framing(std::string_view text);

}  // namespace pg
