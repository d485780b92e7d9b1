// How a value is checked against each keyword. True: it holds, or says nothing about values of this type.
#pragma once

#include "core/schema/json/json_keywords.h"

namespace pg {

#define PG_JSON_CHECK(name) bool name(JsonValidation&, const CheckedKeyword&, const Json& value, const JsonPlace&)

// json_checks_scalars.cc
PG_JSON_CHECK(check_type);
PG_JSON_CHECK(check_type_of_draft4);
PG_JSON_CHECK(check_const);
PG_JSON_CHECK(check_enum);
PG_JSON_CHECK(check_maximum);
PG_JSON_CHECK(check_minimum);
PG_JSON_CHECK(check_maximum_of_draft4);
PG_JSON_CHECK(check_minimum_of_draft4);
PG_JSON_CHECK(check_exclusive_maximum);
PG_JSON_CHECK(check_exclusive_minimum);
PG_JSON_CHECK(check_multiple_of);
PG_JSON_CHECK(check_max_length);
PG_JSON_CHECK(check_min_length);
PG_JSON_CHECK(check_pattern);

// json_checks_arrays.cc
PG_JSON_CHECK(check_items);
PG_JSON_CHECK(check_contains);
PG_JSON_CHECK(check_max_items);
PG_JSON_CHECK(check_min_items);
PG_JSON_CHECK(check_unique_items);

// json_checks_objects.cc
PG_JSON_CHECK(check_properties);
PG_JSON_CHECK(check_pattern_properties);
PG_JSON_CHECK(check_additional_properties);
PG_JSON_CHECK(check_property_names);
PG_JSON_CHECK(check_required);
PG_JSON_CHECK(check_dependencies);
PG_JSON_CHECK(check_max_properties);
PG_JSON_CHECK(check_min_properties);

// json_checks_logic.cc
PG_JSON_CHECK(check_all_of);
PG_JSON_CHECK(check_any_of);
PG_JSON_CHECK(check_one_of);
PG_JSON_CHECK(check_not);
PG_JSON_CHECK(check_if);

#undef PG_JSON_CHECK

}  // namespace pg
