#include <algorithm>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_checks.h"
#include "core/schema/json/json_validation.h"

namespace pg {

bool check_all_of(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  bool applied = true;
  for (const auto& schema : keyword.value) {
    if (!run.applies(schema, value, place)) applied = false;
  }
  return applied;
}

bool check_any_of(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  const auto applies = [&](const Json& schema) { return run.applies_quietly(schema, value, place); };
  if (std::ranges::any_of(keyword.value, applies)) return true;
  return run.refuse(place, "{} matches none of the {} schemas of 'anyOf'", shown(value), keyword.value.size());
}

bool check_one_of(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  const auto applies = [&](const Json& schema) { return run.applies_quietly(schema, value, place); };
  const auto count = std::ranges::count_if(keyword.value, applies);
  if (count == 1) return true;
  return run.refuse(place, "{} matches {} of the {} schemas of 'oneOf', not one", shown(value), count,
                    keyword.value.size());
}

bool check_not(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  return !run.applies_quietly(keyword.value, value, place) ||
         run.refuse(place, "{} matches what it must not", shown(value));
}

bool check_if(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  const bool holds = run.applies_quietly(keyword.value, value, place);
  const Json* const next = find_member(keyword.schema, holds ? "then" : "else");
  return next == nullptr || run.applies(*next, value, place);
}

}  // namespace pg
