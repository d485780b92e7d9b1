#include "core/schema/bounded_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"

namespace pg {
namespace {

// nlohmann/json's message without its own prefix: "[json.exception.parse_error.101] parse error at line 1, column 5: …".
std::string reason_of(const Json::parse_error& error) {
  const std::string_view what = error.what();
  const size_t end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

}  // namespace

Result<Json> parse_bounded_json(std::string_view text) {
  int deepest = 0;
  // A level too deep is dropped as it comes, so that what is built stays shallow.
  const auto within = [&](int depth, Json::parse_event_t, Json&) {
    deepest = std::max(deepest, depth);
    return depth <= kSchemaDepthMax;
  };
  try {
    Json json = Json::parse(text, within);
    if (deepest <= kSchemaDepthMax) return json;
    return fail(Errc::invalid_argument, fmt::format("JSON nested more than {} levels deep", kSchemaDepthMax));
  } catch (const Json::parse_error& error) {
    return fail(Errc::invalid_argument, reason_of(error));
  } catch (const Json::out_of_range& error) {  // a number that no double holds
    return fail(Errc::invalid_argument, error.what());
  }
}

std::string to_one_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace pg
