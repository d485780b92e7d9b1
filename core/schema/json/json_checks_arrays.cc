#include <unordered_set>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_checks.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_validation.h"

namespace pg {
namespace {

// A schema for each place, and "additionalItems" for the places after them.
bool check_tuple(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  const Json* const rest = find_member(keyword.schema, "additionalItems");
  bool applied = true;
  for (size_t i = 0; i < value.size(); ++i) {
    const Json* const schema = i < keyword.value.size() ? &keyword.value[i] : rest;
    if (schema == nullptr) break;
    if (!run.applies(*schema, value[i], place.item(i))) applied = false;
  }
  return applied;
}

}  // namespace

bool check_items(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_array()) return true;
  if (keyword.value.is_array()) return check_tuple(run, keyword, value, place);
  bool applied = true;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!run.applies(keyword.value, value[i], place.item(i))) applied = false;
  }
  return applied;
}

bool check_contains(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_array()) return true;
  for (size_t i = 0; i < value.size(); ++i) {
    if (run.applies_quietly(keyword.value, value[i], place.item(i))) return true;
  }
  return run.refuse(place, "no item matches 'contains'");
}

bool check_max_items(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_array() || static_cast<long double>(value.size()) <= number_of(keyword.value)) return true;
  return run.refuse(place, "{} items, at most {} are allowed", value.size(), shown(keyword.value));
}

bool check_min_items(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_array() || static_cast<long double>(value.size()) >= number_of(keyword.value)) return true;
  return run.refuse(place, "{} items, at least {} are wanted", value.size(), shown(keyword.value));
}

bool check_unique_items(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_array() || !keyword.value.get<bool>()) return true;
  if (!run.work(size_of(value))) return false;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < value.size(); ++i) {
    if (!seen.insert(comparable(value[i])).second)
      return run.refuse(place.item(i), "{} is there twice", shown(value[i]));
  }
  return true;
}

}  // namespace pg
