#include "core/schema/json/json_evaluated.h"

#include <algorithm>
#include <set>

#include "core/schema/json/json_access.h"

namespace pg {
namespace {

bool is_false(const Json& schema) { return schema.is_boolean() && !schema.get<bool>(); }

class Collector {
 public:
  explicit Collector(const JsonDocument& document) : document_(document) {}

  // Collects from the schemas beside the keywords of `schema`. Looks at each schema once, so that circles end.
  void look_beside(const Json& schema) {
    if (const Json* const target = document_.target_of(schema)) look_at(*target);
    for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
      if (const Json* const parts = find_member(schema, keyword); parts != nullptr && parts->is_array()) {
        for (const auto& part : *parts) look_at(part);
      }
    }
    for (const std::string_view keyword : {"if", "then", "else"}) {
      if (const Json* const part = find_member(schema, keyword)) look_at(*part);
    }
    if (const Json* const parts = find_member(schema, "dependentSchemas"); parts != nullptr && parts->is_object()) {
      for (const auto& [name, part] : members_of(*parts)) look_at(part);
    }
    for (const std::string_view keyword : {"$dynamicRef", "$recursiveRef"}) {
      if (find_member(schema, keyword) != nullptr) found_.any_name = found_.items = true;
    }
  }

  JsonEvaluated take() { return std::move(found_); }

 private:
  void look_at(const Json& schema) {
    if (!schema.is_object() || !seen_.insert(&schema).second) return;
    add_names(schema);
    for (const std::string_view keyword : {"prefixItems", "items", "additionalItems", "contains", "unevaluatedItems"}) {
      if (find_member(schema, keyword) != nullptr) found_.items = true;
    }
    look_beside(schema);
  }

  void add_names(const Json& schema) {
    if (const Json* const members = find_member(schema, "properties"); members != nullptr && members->is_object()) {
      for (const auto& [name, member] : members_of(*members)) found_.names.emplace(name, &member);
    }
    if (const Json* const patterns = find_member(schema, "patternProperties");
        patterns != nullptr && patterns->is_object()) {
      for (const auto& [pattern, member] : members_of(*patterns)) found_.patterns.push_back(pattern);
    }
    for (const std::string_view keyword : {"additionalProperties", "unevaluatedProperties"}) {
      if (const Json* const rest = find_member(schema, keyword); rest != nullptr && !is_false(*rest))
        found_.any_name = true;
    }
  }

  const JsonDocument& document_;
  JsonEvaluated found_;
  std::set<const Json*> seen_;
};

}  // namespace

bool JsonEvaluated::has(const JsonDocument& document, const std::string& name) const {
  if (any_name || names.contains(name)) return true;
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    const auto* const made = document.patterns.find(pattern);
    return made != nullptr && matches_anywhere(*made, name);
  });
}

JsonEvaluated evaluated_beside(const JsonDocument& document, const Json& schema) {
  Collector collector(document);
  collector.look_beside(schema);
  return collector.take();
}

const Json* unevaluated_keyword(const JsonSight& sight, std::string_view keyword) {
  return sight.self.document->dialect.draft <= Draft::draft7 ? nullptr : find_member(*sight.schema, keyword);
}

}  // namespace pg
