#include <algorithm>
#include <cmath>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_checks.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_validation.h"

namespace pg {
namespace {

// In draft 4, 1.0 is not an integer. A whole number that only a double can hold is one.
bool is_integer_of_draft4(const Json& value) {
  return value.is_number_integer() || (value.is_number() && is_whole(value) && std::abs(number_of(value)) >= 0x1p63L);
}

bool has_type(const Json& value, std::string_view type, bool draft4) {
  if (type == "integer") return value.is_number() && (draft4 ? is_integer_of_draft4(value) : is_whole(value));
  return type == value.type_name();  // the library's words for the others are JSON Schema's
}

bool check_types(JsonValidation& run, const Json& types, const Json& value, const JsonPlace& place, bool draft4) {
  const auto matches = [&](const Json& type) { return has_type(value, text_of(type), draft4); };
  if (types.is_string())
    return matches(types) || run.refuse(place, "{} is not of type {}", shown(value), text_of(types));
  if (std::ranges::any_of(types, matches)) return true;
  return run.refuse(place, "{} is of none of the {} types that are allowed", shown(value), types.size());
}

bool is_above(const Json& value, const Json& limit) { return number_of(value) > number_of(limit); }
bool is_below(const Json& value, const Json& limit) { return number_of(value) < number_of(limit); }

// Draft 4: "exclusiveMaximum": true beside "maximum".
bool is_exclusive(const CheckedKeyword& keyword, std::string_view flag) {
  const Json* const found = find_member(keyword.schema, flag);
  return found != nullptr && found->get<bool>();
}

// Of two integers exactly; of others as exactly as their decimal digits came through as doubles.
bool is_multiple(const Json& value, const Json& of) {
  const long double number = number_of(value), divisor = number_of(of);
  const long double rest = std::abs(std::remainder(number, divisor));
  if (value.is_number_integer() && of.is_number_integer()) return rest == 0;
  const long double rounding = std::abs(number) * 0x1p-52L;
  return rest == 0 || (rounding < divisor / 4 && rest <= rounding);
}

// Characters, not bytes.
uint64_t length_of(JsonValidation& run, const std::string& text) {
  run.work(text.size() / 32);
  return static_cast<uint64_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

bool check_type(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  return check_types(run, keyword.value, value, place, false);
}

bool check_type_of_draft4(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                          const JsonPlace& place) {
  return check_types(run, keyword.value, value, place, true);
}

bool check_const(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (keyword.value.type() != value.type() && !(keyword.value.is_number() && value.is_number())) {
    return run.refuse(place, "{} is not {}", shown(value), shown(keyword.value));
  }
  if (!run.work(size_of(keyword.value) + size_of(value))) return false;
  return comparable(keyword.value) == comparable(value) ||
         run.refuse(place, "{} is not {}", shown(value), shown(keyword.value));
}

bool check_enum(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!run.work(size_of(keyword.value) + size_of(value))) return false;
  const std::string wanted = comparable(value);
  const auto is_it = [&](const Json& one) { return comparable(one) == wanted; };
  if (std::ranges::any_of(keyword.value, is_it)) return true;
  return run.refuse(place, "{} is none of the values that are allowed", shown(value));
}

bool check_maximum(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_number() || !is_above(value, keyword.value)) return true;
  return run.refuse(place, "{} is above {}", shown(value), shown(keyword.value));
}

bool check_minimum(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_number() || !is_below(value, keyword.value)) return true;
  return run.refuse(place, "{} is below {}", shown(value), shown(keyword.value));
}

bool check_exclusive_maximum(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                             const JsonPlace& place) {
  if (!value.is_number() || is_below(value, keyword.value)) return true;
  return run.refuse(place, "{} is not below {}", shown(value), shown(keyword.value));
}

bool check_exclusive_minimum(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                             const JsonPlace& place) {
  if (!value.is_number() || is_above(value, keyword.value)) return true;
  return run.refuse(place, "{} is not above {}", shown(value), shown(keyword.value));
}

bool check_maximum_of_draft4(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                             const JsonPlace& place) {
  return (is_exclusive(keyword, "exclusiveMaximum") ? check_exclusive_maximum : check_maximum)(run, keyword, value,
                                                                                               place);
}

bool check_minimum_of_draft4(JsonValidation& run, const CheckedKeyword& keyword, const Json& value,
                             const JsonPlace& place) {
  return (is_exclusive(keyword, "exclusiveMinimum") ? check_exclusive_minimum : check_minimum)(run, keyword, value,
                                                                                               place);
}

bool check_multiple_of(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_number() || is_multiple(value, keyword.value)) return true;
  return run.refuse(place, "{} is not a multiple of {}", shown(value), shown(keyword.value));
}

bool check_max_length(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_string()) return true;
  const uint64_t length = length_of(run, text_of(value));
  if (static_cast<long double>(length) <= number_of(keyword.value)) return true;
  return run.refuse(place, "{} characters, at most {} are allowed", length, shown(keyword.value));
}

bool check_min_length(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_string()) return true;
  const uint64_t length = length_of(run, text_of(value));
  if (static_cast<long double>(length) >= number_of(keyword.value)) return true;
  return run.refuse(place, "{} characters, at least {} are wanted", length, shown(keyword.value));
}

bool check_pattern(JsonValidation& run, const CheckedKeyword& keyword, const Json& value, const JsonPlace& place) {
  if (!value.is_string()) return true;
  if (!run.work(text_of(value).size() / 8)) return false;
  const auto* const pattern = run.document().patterns.find(text_of(keyword.value));
  if (matches_anywhere(*pattern, text_of(value))) return true;
  return run.refuse(place, "{} does not match '{}'", shown(value), text_of(keyword.value));
}

}  // namespace pg
