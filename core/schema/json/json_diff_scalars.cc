#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_schema_diff.h"
#include "core/schema/json/json_validation.h"

namespace pg {
namespace {

const Json* number_at(const JsonSight& sight, std::string_view keyword) {
  const Json* const value = find_member(*sight.schema, keyword);
  return value != nullptr && value->is_number() ? value : nullptr;
}

bool is_upper(std::string_view keyword) { return keyword.find("ax") != std::string_view::npos; }

// A count of at least none says nothing.
bool says_nothing(std::string_view keyword, const Json& limit) {
  return keyword.starts_with("min") && keyword != "minimum" && number_of(limit) <= 0;
}

void compare_limit(JsonFindings& found, std::string_view keyword, const Json* before, const Json* after) {
  if (after == nullptr || says_nothing(keyword, *after)) return;
  const std::string path = fmt::format("/{}", keyword), kind = kind_of(keyword);
  if (before == nullptr) {
    found.add(kind + "_ADDED", path, fmt::format("{} {} is new", keyword, shown(*after)));
  } else if (is_upper(keyword) && number_of(*after) < number_of(*before)) {
    found.add(kind + "_DECREASED", path, fmt::format("{} is {}, and was {}", keyword, shown(*after), shown(*before)));
  } else if (!is_upper(keyword) && number_of(*after) > number_of(*before)) {
    found.add(kind + "_INCREASED", path, fmt::format("{} is {}, and was {}", keyword, shown(*after), shown(*before)));
  }
}

// In draft 4 "exclusiveMaximum" is a flag beside "maximum".
struct Limits {
  const Json* inclusive;
  const Json* exclusive;
};

Limits limits_of(const JsonSight& sight, std::string_view inclusive, std::string_view exclusive) {
  const Json* const flag = find_member(*sight.schema, exclusive);
  if (flag != nullptr && flag->is_boolean() && flag->get<bool>()) return {nullptr, number_at(sight, inclusive)};
  return {number_at(sight, inclusive), number_at(sight, exclusive)};
}

void compare_range(JsonFindings& found, const JsonSight& writer, const JsonSight& reader, std::string_view inclusive,
                   std::string_view exclusive) {
  const Limits before = limits_of(writer, inclusive, exclusive), after = limits_of(reader, inclusive, exclusive);
  compare_limit(found, inclusive, before.inclusive, after.inclusive);
  compare_limit(found, exclusive, before.exclusive, after.exclusive);
}

bool is_multiple(const Json& number, const Json& of) {
  const long double quotient = number_of(number) / number_of(of);
  return std::abs(quotient - std::round(quotient)) <= std::abs(quotient) * 0x1p-52L;
}

void compare_multiples(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  const Json* const before = number_at(writer, "multipleOf");
  const Json* const after = number_at(reader, "multipleOf");
  if (after == nullptr) return;
  if (before == nullptr) {
    found.add("MULTIPLE_OF_ADDED", "/multipleOf", fmt::format("multipleOf {} is new", shown(*after)));
  } else if (!is_multiple(*before, *after)) {
    found.add(is_multiple(*after, *before) ? "MULTIPLE_OF_EXPANDED" : "MULTIPLE_OF_CHANGED", "/multipleOf",
              fmt::format("multipleOf is {}, and was {}", shown(*after), shown(*before)));
  }
}

// "const" is an enumeration of one; with both, a value must be in both.
std::set<std::string> values_of(const JsonSight& sight) {
  std::set<std::string> values;
  const Json* const listed = find_member(*sight.schema, "enum");
  if (listed != nullptr && listed->is_array()) {
    for (const auto& value : *listed) values.insert(comparable(value));
  }
  const Json* const only = find_member(*sight.schema, "const");
  if (only == nullptr) return values;
  const std::string one = comparable(*only);
  return listed == nullptr || values.contains(one) ? std::set<std::string>{one} : std::set<std::string>{};
}

}  // namespace

void compare_limits(JsonFindings& found, const JsonSight& writer, const JsonSight& reader, std::string_view keyword) {
  compare_limit(found, keyword, number_at(writer, keyword), number_at(reader, keyword));
}

JsonFindings compare_strings(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  compare_limits(found, writer, reader, "maxLength");
  compare_limits(found, writer, reader, "minLength");
  const Json* const before = find_member(*writer.schema, "pattern");
  const Json* const after = find_member(*reader.schema, "pattern");
  if (after != nullptr && before == nullptr) {
    found.add("PATTERN_ADDED", "/pattern", fmt::format("the pattern {} is new", shown(*after)));
  } else if (after != nullptr && *after != *before) {
    found.add("PATTERN_CHANGED", "/pattern",
              fmt::format("the pattern is {}, and was {}", shown(*after), shown(*before)));
  }
  return found;
}

JsonFindings compare_numbers(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  compare_range(found, writer, reader, "maximum", "exclusiveMaximum");
  compare_range(found, writer, reader, "minimum", "exclusiveMinimum");
  compare_multiples(found, writer, reader);
  if (reader.integer && !writer.integer) found.add("TYPE_NARROWED", "", "is an integer, and was any number");
  return found;
}

JsonFindings compare_enumerations(const JsonSight& writer, const JsonSight& reader) {
  const auto before = values_of(writer), after = values_of(reader);
  JsonFindings found;
  if (std::ranges::includes(after, before)) return found;
  const auto missing = std::ranges::find_if(before, [&](const auto& value) { return !after.contains(value); });
  found.add(std::ranges::includes(before, after) ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED", "/enum",
            fmt::format("the value {} is gone", missing->size() <= 60 ? *missing : missing->substr(0, 60) + "…"));
  return found;
}

}  // namespace pg
