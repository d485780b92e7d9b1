#include <algorithm>
#include <unordered_map>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_checks.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_validation.h"

namespace pg {
namespace {

// The members of an object, for looking up many: by a table if that is worth making one.
class Members {
 public:
  Members(JsonValidation& run, const Json* object, size_t lookups) : object_(object) {
    if (object == nullptr || !object->is_object()) return;
    const size_t size = object->size();
    hashed_ = size > 16 && lookups > 16;
    run.work(hashed_ ? size + lookups : size * std::min<size_t>(lookups, 16) / 8);
    if (!hashed_) return;
    table_.reserve(size);
    for (const auto& [name, value] : members_of(*object)) table_.emplace(name, &value);
  }

  const Json* find(std::string_view name) const {
    if (object_ == nullptr) return nullptr;
    if (!hashed_) return find_member(*object_, name);
    const auto found = table_.find(name);
    return found == table_.end() ? nullptr : found->second;
  }

 private:
  const Json* const object_;
  bool hashed_ = false;
  std::unordered_map<std::string_view, const Json*> table_;
};

bool matches_any_pattern(JsonValidation& run, const Json* patterns, const std::string& name) {
  if (patterns == nullptr) return false;
  return std::ranges::any_of(members_of(*patterns), [&](const auto& entry) {
    return run.work(1 + name.size() / 8) && matches_anywhere(*run.document().patterns.find(entry.first), name);
  });
}

bool check_names(JsonValidation& run, const Json& names, const Members& members, const JsonPlace& place) {
  bool applied = true;
  for (const auto& name : names) {
    if (members.find(text_of(name)) == nullptr) applied = run.refuse(place, "member {} is missing", shown(name));
  }
  return applied;
}

}  // namespace

bool check_properties(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_object()) return true;
  const Members members(run, &value, keyword.value.size());
  bool applied = true;
  for (const auto& [name, schema] : members_of(keyword.value)) {
    const Json* const member = members.find(name);
    if (member != nullptr && !run.applies(schema, *member, place.member(name))) applied = false;
  }
  return applied;
}

bool check_pattern_properties(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                              const JsonPlace& place) {
  if (!value.is_object()) return true;
  bool applied = true;
  for (const auto& [pattern, schema] : members_of(keyword.value)) {
    for (const auto& [name, member] : members_of(value)) {
      if (!run.work(1 + name.size() / 8)) return false;
      if (!matches_anywhere(*run.document().patterns.find(pattern), name)) continue;
      if (!run.applies(schema, member, place.member(name))) applied = false;
    }
  }
  return applied;
}

// Of members that neither "properties" nor "patternProperties" beside it knows.
bool check_additional_properties(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                                 const JsonPlace& place) {
  if (!value.is_object()) return true;
  const Members known(run, find_member(keyword.schema, "properties"), value.size());
  const Json* const patterns = find_member(keyword.schema, "patternProperties");
  bool applied = true;
  for (const auto& [name, member] : members_of(value)) {
    if (known.find(name) != nullptr || matches_any_pattern(run, patterns, name)) continue;
    if (keyword.value == false)
      applied = run.refuse(place.member(name), "no such member is allowed");
    else if (!run.applies(keyword.value, member, place.member(name)))
      applied = false;
  }
  return applied;
}

bool check_property_names(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                          const JsonPlace& place) {
  if (!value.is_object()) return true;
  bool applied = true;
  for (const auto& [name, member] : members_of(value)) {
    if (!run.applies(keyword.value, Json(name), place.member(name))) applied = false;
  }
  return applied;
}

bool check_required(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_object()) return true;
  return check_names(run, keyword.value, Members(run, &value, keyword.value.size()), place);
}

bool check_dependencies(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_object()) return true;
  const Members members(run, &value, keyword.value.size());
  bool applied = true;
  for (const auto& [name, dependency] : members_of(keyword.value)) {
    if (members.find(name) == nullptr) continue;
    const bool holds = dependency.is_array()
                           ? check_names(run, dependency, Members(run, &value, dependency.size()), place)
                           : run.applies(dependency, value, place);
    if (!holds) applied = false;
  }
  return applied;
}

bool check_max_properties(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                          const JsonPlace& place) {
  if (!value.is_object() || static_cast<long double>(value.size()) <= number_of(keyword.value)) return true;
  return run.refuse(place, "{} members, at most {} are allowed", value.size(), shown(keyword.value));
}

bool check_min_properties(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                          const JsonPlace& place) {
  if (!value.is_object() || static_cast<long double>(value.size()) >= number_of(keyword.value)) return true;
  return run.refuse(place, "{} members, at least {} are wanted", value.size(), shown(keyword.value));
}

}  // namespace pg
