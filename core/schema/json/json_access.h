// Reading a Json without making anything of it.
#pragma once

#include <string_view>

#include "core/schema/bounded_json.h"

namespace pg {

// As pairs of name and value, in order.
inline const Json::object_t& members_of(const Json& object) { return object.get_ref<const Json::object_t&>(); }

inline const std::string& text_of(const Json& string) { return string.get_ref<const std::string&>(); }

// None: no such member, or no object.
inline const Json* find_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  for (const auto& [key, value] : members_of(object)) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace pg
