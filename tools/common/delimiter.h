// The -d and -K arguments: any string, with \n \t \0 \\ \xHH for bytes that a shell cannot pass.
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

}  // namespace pg
