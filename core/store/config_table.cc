#include "core/store/config_table.h"

namespace pg {

Result<std::pair<std::string_view, std::string_view>> split_config(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid_argument, fmt::format("a config is written name=value, not '{}'", assignment));
  }
  return std::pair(assignment.substr(0, equals), assignment.substr(equals + 1));
}

}  // namespace pg
