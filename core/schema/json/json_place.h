// Where in a JSON text something stands: a list that lives on the stack while the text is walked, written down only
// when somebody is to read it.
#pragma once

#include <string>
#include <string_view>

namespace pg {

struct JsonPlace {
  const JsonPlace* parent = nullptr;  // none: the whole text, or the part of it that `name` points to
  std::string_view name = {};
  size_t index = 0;  // of an item, which has no name
  bool is_item = false;

  JsonPlace member(std::string_view member_name) const { return {this, member_name}; }
  JsonPlace item(size_t item_index) const { return {this, {}, item_index, true}; }
};

// "/" and "~" as they stand in a JSON pointer.
std::string pointer_token(std::string_view name);

// As a JSON pointer with a "#" before it: "#/items/2/name"; "#" is the whole text.
std::string to_pointer(const JsonPlace& place);

}  // namespace pg
