#include "core/schema/json/json_keywords.h"

#include <algorithm>
#include <array>

#include "core/schema/json/json_checks.h"

namespace pg {
namespace {

using enum KeywordShape;
using enum Draft;

// By name; one name may stand here several times, for drafts that mean different things by it.
constexpr auto kKeywords = std::to_array<JsonKeyword>({
    {"$anchor", text, draft2019, draft2020, nullptr},
    {"$comment", text, draft7, draft2020, nullptr},
    {"$defs", schema_map, draft2019, draft2020, nullptr},
    {"$dynamicRef", text, draft2020, draft2020, nullptr},
    {"$id", text, draft6, draft2020, nullptr},
    {"$recursiveRef", text, draft2019, draft2019, nullptr},
    {"$ref", reference, draft4, draft2020, nullptr},
    {"$schema", text, draft4, draft2020, nullptr},
    {"additionalItems", schema_or_flag, draft4, draft2019, nullptr},
    {"additionalProperties", schema_or_flag, draft4, draft2020, check_additional_properties},
    {"allOf", schemas, draft4, draft2020, check_all_of},
    {"anyOf", schemas, draft4, draft2020, check_any_of},
    {"const", any, draft6, draft2020, check_const},
    {"contains", schema, draft6, draft2020, check_contains},
    {"definitions", schema_map, draft4, draft2020, nullptr},
    {"dependencies", dependency_map, draft4, draft2020, check_dependencies},
    {"dependentRequired", words_map, draft2019, draft2020, nullptr},
    {"dependentSchemas", schema_map, draft2019, draft2020, nullptr},
    {"description", text, draft4, draft2020, nullptr},
    {"else", schema, draft7, draft2020, nullptr},
    {"enum", values, draft4, draft2020, check_enum},
    {"exclusiveMaximum", flag, draft4, draft4, nullptr},
    {"exclusiveMaximum", number, draft6, draft2020, check_exclusive_maximum},
    {"exclusiveMinimum", flag, draft4, draft4, nullptr},
    {"exclusiveMinimum", number, draft6, draft2020, check_exclusive_minimum},
    {"format", text, draft4, draft2020, nullptr},
    {"id", text, draft4, draft4, nullptr},
    {"if", schema, draft7, draft2020, check_if},
    {"items", schema_or_schemas, draft4, draft2019, check_items},
    {"items", schema, draft2020, draft2020, nullptr},
    {"maxContains", count, draft2019, draft2020, nullptr},
    {"maxItems", count, draft4, draft2020, check_max_items},
    {"maxLength", count, draft4, draft2020, check_max_length},
    {"maxProperties", count, draft4, draft2020, check_max_properties},
    {"maximum", number, draft4, draft4, check_maximum_of_draft4},
    {"maximum", number, draft6, draft2020, check_maximum},
    {"minContains", count, draft2019, draft2020, nullptr},
    {"minItems", count, draft4, draft2020, check_min_items},
    {"minLength", count, draft4, draft2020, check_min_length},
    {"minProperties", count, draft4, draft2020, check_min_properties},
    {"minimum", number, draft4, draft4, check_minimum_of_draft4},
    {"minimum", number, draft6, draft2020, check_minimum},
    {"multipleOf", positive, draft4, draft2020, check_multiple_of},
    {"not", schema, draft4, draft2020, check_not},
    {"oneOf", schemas, draft4, draft2020, check_one_of},
    {"pattern", pattern, draft4, draft2020, check_pattern},
    {"patternProperties", pattern_map, draft4, draft2020, check_pattern_properties},
    {"prefixItems", schemas, draft2020, draft2020, nullptr},
    {"properties", schema_map, draft4, draft2020, check_properties},
    {"propertyNames", schema, draft6, draft2020, check_property_names},
    {"required", words, draft4, draft2020, check_required},
    {"then", schema, draft7, draft2020, nullptr},
    {"title", text, draft4, draft2020, nullptr},
    {"type", type, draft4, draft4, check_type_of_draft4},
    {"type", type, draft6, draft2020, check_type},
    {"unevaluatedItems", schema, draft2019, draft2020, nullptr},
    {"unevaluatedProperties", schema, draft2019, draft2020, nullptr},
    {"uniqueItems", flag, draft4, draft2020, check_unique_items},
});
static_assert(std::ranges::is_sorted(kKeywords, {}, &JsonKeyword::name));

}  // namespace

const JsonKeyword* find_keyword(Draft draft, std::string_view name) {
  auto row = std::ranges::lower_bound(kKeywords, name, {}, &JsonKeyword::name);
  for (; row != kKeywords.end() && row->name == name; ++row) {
    if (row->first <= draft && draft <= row->last) return row;
  }
  return nullptr;
}

}  // namespace pg
