// JSON from outside, no deeper than what may be walked recursively.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/result.h"

namespace pg {

// Members keep their order.
using Json = nlohmann::ordered_json;

// In time that grows with the text and no faster. Errc::invalid_argument: it is not JSON, where and why, or deeper than
// kSchemaDepthMax.
Result<Json> parse_bounded_json(std::string_view text);

// Adds a member whose name `object` does not have yet, without looking through those that it has.
void add_member(Json& object, std::string_view name, Json value);

// A text that was parsed, in one line: numbers and strings stay as they are written, which a Json does not remember.
std::string without_whitespace(std::string_view text);

// In one line. Bytes that are not UTF-8 become U+FFFD; only the output of decoders can have them.
std::string to_one_line(const Json& json);

}  // namespace pg
