#include "tools/common/value_codec.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace pg {

Result<SubjectChoice> parse_subject_choice(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return SubjectChoice{text, {}, false};
  const std::string_view behind = std::string_view(text).substr(colon + 1);
  if (behind == "latest") return SubjectChoice{text.substr(0, colon), {}, true};
  const auto version = parse_integer(behind);
  if (!version) return SubjectChoice{text, {}, false};
  if (*version < 1 || *version > INT32_MAX)
    return fail(Errc::invalid_argument, fmt::format("'{}' is not a version: they count from 1", behind));
  return SubjectChoice{text.substr(0, colon), static_cast<int32_t>(*version), true};
}

}  // namespace pg
