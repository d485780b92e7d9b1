// The target of a request, taken apart: "/subjects/a%2Fb/versions?deleted=true".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg {

struct RestTarget {
  std::vector<std::string> path;             // its segments, decoded: a slash in a subject is %2F
  std::map<std::string, std::string> query;  // of a name that is there twice, the first

  // "?deleted=true"; "?deleted" says the same.
  bool flag(const std::string& name) const;
};

// None: it does not begin with a slash, or a '%' is not followed by two hexadecimal digits. A slash at the end does not
// matter.
std::optional<RestTarget> parse_rest_target(std::string_view target);

}  // namespace pg
