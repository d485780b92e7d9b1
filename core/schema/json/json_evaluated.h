// What is not unevaluated: the members and items that schemas beside "unevaluatedProperties" and "unevaluatedItems" speak of, in
// "allOf", "$ref" and the like, at any depth.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/json/json_view.h"

namespace pg {

struct JsonEvaluated {
  std::map<std::string, const Json*> names;  // with what is said of each, by the first that says something
  std::vector<std::string> patterns;         // of names
  bool any_name = false;                     // whatever it is called
  bool items = false;                        // some of them

  bool has(const JsonDocument& document, const std::string& name) const;
};

JsonEvaluated evaluated_beside(const JsonDocument& document, const Json& schema);

// Whether the keyword means something in this schema's draft; null: it is not there, or means nothing.
const Json* unevaluated_keyword(const JsonSight& sight, std::string_view keyword);

}  // namespace pg
