#include "core/schema/json/json_place.h"

namespace pg {

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

std::string to_pointer(const JsonPlace& place) {
  if (place.parent == nullptr) return place.name.empty() ? "#" : std::string(place.name);
  return to_pointer(*place.parent) + '/' + (place.is_item ? std::to_string(place.index) : pointer_token(place.name));
}

}  // namespace pg
