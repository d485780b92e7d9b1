// The members and items that are evaluated by schemas beside "unevaluatedProperties" and "unevaluatedItems": in
// "allOf", "$ref" and the like, at any depth.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/json/json_view.h"

namespace pg {

struct JsonEvaluated {
  std::map<std::string, const Json*> names;  // with the first schema for each
  std::vector<std::string> patterns;         // of names
  bool any_name = false;                     // members of any name
  bool items = false;                        // some items

  bool has(const JsonDocument& document, const std::string& name) const;
};

JsonEvaluated evaluated_beside(const JsonDocument& document, const Json& schema);

// The keyword's value; null: the schema does not have it, or its draft does not know it.
const Json* unevaluated_keyword(const JsonSight& sight, std::string_view keyword);

}  // namespace pg
