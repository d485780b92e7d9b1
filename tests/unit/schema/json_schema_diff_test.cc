// The rules of compatibility: one row, one change. `kinds`: why the second schema cannot read what the first one wrote,
// with the places; and for the other direction. Empty: it can.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/schema/schema.h"

namespace pg {
namespace {

struct Change {
  const char* before;
  const char* after;
  const char* kinds;       // the new schema reads what the old one wrote
  const char* kinds_back;  // the old schema reads what the new one wrote
};

std::unique_ptr<Schema> schema_of(std::string_view text) {
  auto schema = parse_schema(SchemaType::json, text);
  REQUIRE_MESSAGE(schema, text, ": ", schema.error().what);
  return std::move(*schema);
}

std::string kinds(std::string_view writer, std::string_view reader,
                  CompatibilityPolicy policy = CompatibilityPolicy::strict) {
  std::string found;
  const auto all = schema_of(reader)->cannot_read(*schema_of(writer), policy);
  if (!all) return fmt::format("limit: {}", all.error().what);
  for (const auto& [kind, path, message] : *all) {
    CHECK_FALSE(message.empty());
    found += fmt::format("{}{} {}", found.empty() ? "" : ", ", kind, path);
  }
  return found;
}

template <size_t N>
void check(const Change (&changes)[N]) {
  for (const auto& change : changes) {
    CAPTURE(std::string(change.before));
    CAPTURE(std::string(change.after));
    CHECK(kinds(change.before, change.after) == std::string(change.kinds));
    CHECK(kinds(change.after, change.before) == std::string(change.kinds_back));
    CHECK(kinds(change.before, change.before) == "");
  }
}

TEST_CASE("json compatibility: lengths and patterns of strings") {
  check({
      {R"({"type":"string","maxLength":5})", R"({"type":"string","maxLength":6})", "",
       "MAX_LENGTH_DECREASED #/maxLength"},
      {R"({"type":"string","maxLength":5})", R"({"type":"string"})", "", "MAX_LENGTH_ADDED #/maxLength"},
      {R"({"type":"string","minLength":5})", R"({"type":"string","minLength":4})", "",
       "MIN_LENGTH_INCREASED #/minLength"},
      {R"({"type":"string","minLength":5})", R"({"type":"string"})", "", "MIN_LENGTH_ADDED #/minLength"},
      {R"({"type":"string","minLength":0})", R"({"type":"string"})", "", ""},
      {R"({"type":"string","pattern":"a"})", R"({"type":"string"})", "", "PATTERN_ADDED #/pattern"},
      {R"({"type":"string","pattern":"a"})", R"({"type":"string","pattern":"b"})", "PATTERN_CHANGED #/pattern",
       "PATTERN_CHANGED #/pattern"},
  });
}

TEST_CASE("json compatibility: limits of numbers") {
  check({
      {R"({"type":"number","maximum":5})", R"({"type":"number","maximum":6})", "", "MAXIMUM_DECREASED #/maximum"},
      {R"({"type":"number","maximum":5})", R"({"type":"number"})", "", "MAXIMUM_ADDED #/maximum"},
      {R"({"type":"number","minimum":5})", R"({"type":"number","minimum":4.5})", "", "MINIMUM_INCREASED #/minimum"},
      {R"({"type":"number","minimum":0})", R"({"type":"number"})", "", "MINIMUM_ADDED #/minimum"},
      {R"({"type":"number","exclusiveMaximum":5})", R"({"type":"number","exclusiveMaximum":6})", "",
       "EXCLUSIVE_MAXIMUM_DECREASED #/exclusiveMaximum"},
      {R"({"type":"number","exclusiveMaximum":5})", R"({"type":"number"})", "",
       "EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum"},
      {R"({"type":"number","exclusiveMinimum":5})", R"({"type":"number","exclusiveMinimum":4})", "",
       "EXCLUSIVE_MINIMUM_INCREASED #/exclusiveMinimum"},
      {R"({"type":"number","exclusiveMinimum":5})", R"({"type":"number"})", "",
       "EXCLUSIVE_MINIMUM_ADDED #/exclusiveMinimum"},
      {R"({"type":"number","multipleOf":10})", R"({"type":"number","multipleOf":5})", "",
       "MULTIPLE_OF_EXPANDED #/multipleOf"},
      {R"({"type":"number","multipleOf":10})", R"({"type":"number"})", "", "MULTIPLE_OF_ADDED #/multipleOf"},
      {R"({"type":"number","multipleOf":3})", R"({"type":"number","multipleOf":2})", "MULTIPLE_OF_CHANGED #/multipleOf",
       "MULTIPLE_OF_CHANGED #/multipleOf"},
      {R"({"type":"integer"})", R"({"type":"number"})", "", "TYPE_NARROWED #"},
      {R"({"$schema":"http://json-schema.org/draft-04/schema#","type":"number","maximum":5,"exclusiveMaximum":true})",
       R"({"type":"number","exclusiveMaximum":5})", "", ""},
  });
}

TEST_CASE("json compatibility: types") {
  check({
      {R"({"type":"string"})", R"({"type":"integer"})", "TYPE_CHANGED #", "TYPE_CHANGED #"},
      {R"({"type":"string"})", R"({"type":["string","null"]})", "", "TYPE_CHANGED #"},
      {R"({"type":["string","null"]})", R"({"type":["string","null","integer"]})", "", "SUM_TYPE_NARROWED #"},
      {R"({"type":"string"})", "{}", "", "TYPE_CHANGED #"},
      {R"({"type":"string"})", "true", "", "TYPE_CHANGED #"},
      {"false", R"({"type":"string"})", "", "TYPE_CHANGED #"},
      {R"({"type":"null"})", R"({"type":"null","title":"t","description":"d","default":null,"$id":"http://x/y"})", "",
       ""},
      {R"({"type":["string","null"],"maxLength":5})", R"({"type":["string","null"],"maxLength":6})", "",
       "COMBINED_TYPE_SUBSCHEMAS_CHANGED #, MAX_LENGTH_DECREASED #/maxLength"},
  });
}

TEST_CASE("json compatibility: enumerations and constants") {
  check({
      {R"({"enum":["a"]})", R"({"enum":["a","b"]})", "", "ENUM_ARRAY_NARROWED #/enum"},
      {R"({"enum":["a","b"]})", R"({"enum":["b","c"]})", "ENUM_ARRAY_CHANGED #/enum", "ENUM_ARRAY_CHANGED #/enum"},
      {R"({"enum":["a",1]})", R"({"enum":[1.0,"a"]})", "", ""},
      {R"({"const":"a"})", R"({"enum":["a","b"]})", "", "ENUM_ARRAY_NARROWED #/enum"},
      {R"({"const":"a"})", R"({"const":"b"})", "ENUM_ARRAY_CHANGED #/enum", "ENUM_ARRAY_CHANGED #/enum"},
      {R"({"type":"string","enum":["a"]})", R"({"type":"string"})", "", "TYPE_CHANGED #"},
      {R"({"type":"string","enum":["a"]})", R"({"type":"string","enum":["a","b"]})", "",
       "COMBINED_TYPE_SUBSCHEMAS_CHANGED #, ENUM_ARRAY_NARROWED #/enum"},
  });
}

#define PG_OPEN(inner) R"({"type":"object","properties":{)" inner "}}"
#define PG_CLOSED(inner) R"({"type":"object","additionalProperties":false,"properties":{)" inner "}}"
#define PG_PARTIAL(inner) R"({"type":"object","additionalProperties":{"type":"string"},"properties":{)" inner "}}"
#define PG_REQUIRED(inner) R"({"type":"object","additionalProperties":false,"required":["a"],"properties":{)" inner "}}"

TEST_CASE("json compatibility: properties, by content model") {
  check({
      {PG_OPEN(""), PG_OPEN(R"("a":{"type":"string"})"), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/a", ""},
      {PG_OPEN(""), PG_OPEN(R"("a":{})"), "", ""},
      {PG_CLOSED(""), PG_CLOSED(R"("a":{"type":"string"})"), "",
       "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"},
      {PG_CLOSED(""), PG_CLOSED(R"("a":false)"), "", ""},
      {PG_PARTIAL(""), PG_PARTIAL(R"("a":{"type":"string"})"), "", ""},
      {PG_PARTIAL(""), PG_PARTIAL(R"("a":{"type":"string","maxLength":1})"),
       "MAX_LENGTH_ADDED #/properties/a/maxLength, PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL "
       "#/properties/a",
       ""},
      {PG_PARTIAL(""), PG_PARTIAL(R"("a":{"type":["string","null"]})"), "",
       "TYPE_CHANGED #/properties/a, PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a"},
      {PG_CLOSED(R"("a":{"type":"string"})"), PG_CLOSED(R"("a":{"type":"integer"})"), "TYPE_CHANGED #/properties/a",
       "TYPE_CHANGED #/properties/a"},
      {PG_OPEN(R"("a/b":{"properties":{"c":{"type":"integer"}}})"),
       PG_OPEN(R"("a/b":{"properties":{"c":{"type":"number"}}})"), "", "TYPE_NARROWED #/properties/a~1b/properties/c"},
  });
}

TEST_CASE("json compatibility: required members") {
  check({
      {PG_CLOSED(""), PG_REQUIRED(R"("a":{"type":"string"})"),
       "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a",
       "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"},
      {PG_CLOSED(""), PG_REQUIRED(R"("a":{"type":"string","default":""})"), "",
       "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"},
      {PG_CLOSED(R"("a":{"type":"string"})"), PG_REQUIRED(R"("a":{"type":"string"})"),
       "REQUIRED_ATTRIBUTE_ADDED #/required/a", ""},
      {PG_CLOSED(R"("a":{"type":"string"})"), PG_REQUIRED(R"("a":{"type":"string","default":""})"), "", ""},
      {R"({"type":"object"})", R"({"type":"object","required":["a"]})", "REQUIRED_ATTRIBUTE_ADDED #/required/a", ""},
      {R"({"type":"object"})", R"({"type":"object","required":["a"],"properties":{"a":{}}})",
       "REQUIRED_ATTRIBUTE_ADDED #/required/a", ""},
  });
}

TEST_CASE("json compatibility: the other members, their names and number") {
  check({
      {PG_CLOSED(""), PG_OPEN(""), "", "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"},
      {PG_CLOSED(""), PG_PARTIAL(""), "", "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"},
      {PG_PARTIAL(""), PG_OPEN(""), "", "ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties"},
      {R"({"additionalProperties":{"type":"integer"}})", R"({"additionalProperties":{"type":"number"}})", "",
       "TYPE_NARROWED #/additionalProperties"},
      {R"({"type":"object","maxProperties":1})", R"({"type":"object","maxProperties":2})", "",
       "MAX_PROPERTIES_DECREASED #/maxProperties"},
      {R"({"type":"object","maxProperties":1})", R"({"type":"object"})", "", "MAX_PROPERTIES_ADDED #/maxProperties"},
      {R"({"type":"object","minProperties":2})", R"({"type":"object","minProperties":1})", "",
       "MIN_PROPERTIES_INCREASED #/minProperties"},
      {R"({"type":"object","minProperties":2})", R"({"type":"object"})", "", "MIN_PROPERTIES_ADDED #/minProperties"},
      {R"({"type":"object","propertyNames":{"maxLength":2}})", R"({"type":"object"})", "",
       "TYPE_CHANGED #/propertyNames"},
      {R"({"patternProperties":{"^x":{"type":"integer"}}})", R"({"patternProperties":{"^x":{"type":"number"}}})", "",
       "TYPE_NARROWED #/patternProperties/^x"},
      {R"({"type":"object"})", R"({"type":"object","patternProperties":{"^x":{"type":"number"}}})",
       "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/patternProperties/^x", ""},
      {R"({"additionalProperties":false,"properties":{"xa":{"type":"string"}}})",
       R"({"additionalProperties":false,"properties":{"xa":{"type":"string"}},"patternProperties":{"^x":{"type":"null"}}})",
       "TYPE_CHANGED #/patternProperties/^x", "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/patternProperties/^x"},
  });
}

TEST_CASE("json compatibility: dependencies") {
  check({
      {R"({"dependencies":{"a":["b"]}})", R"({"type":"object"})", "", "DEPENDENCY_ARRAY_ADDED #/dependencies/a"},
      {R"({"dependencies":{"a":["b","c"]}})", R"({"dependencies":{"a":["b"]}})", "",
       "DEPENDENCY_ARRAY_EXTENDED #/dependencies/a"},
      {R"({"dependencies":{"a":["b"]}})", R"({"dependencies":{"a":["c"]}})",
       "DEPENDENCY_ARRAY_CHANGED #/dependencies/a", "DEPENDENCY_ARRAY_CHANGED #/dependencies/a"},
      {R"({"dependencies":{"a":{"maxProperties":1}}})", R"({"type":"object"})", "",
       "DEPENDENCY_SCHEMA_ADDED #/dependencies/a"},
      {R"({"dependencies":{"a":{"maxProperties":1}}})", R"({"dependencies":{"a":{"maxProperties":2}}})", "",
       "MAX_PROPERTIES_DECREASED #/dependencies/a/maxProperties"},
  });
}

TEST_CASE("json compatibility: arrays") {
  check({
      {R"({"type":"array","maxItems":1})", R"({"type":"array","maxItems":2})", "", "MAX_ITEMS_DECREASED #/maxItems"},
      {R"({"type":"array","maxItems":1})", R"({"type":"array"})", "", "MAX_ITEMS_ADDED #/maxItems"},
      {R"({"type":"array","minItems":2})", R"({"type":"array","minItems":1})", "", "MIN_ITEMS_INCREASED #/minItems"},
      {R"({"type":"array","minItems":2})", R"({"type":"array"})", "", "MIN_ITEMS_ADDED #/minItems"},
      {R"({"type":"array","uniqueItems":true})", R"({"type":"array"})", "", "UNIQUE_ITEMS_ADDED #/uniqueItems"},
      {R"({"type":"array","contains":{"type":"null"}})", R"({"type":"array"})", "", "SCHEMA_ADDED #/contains"},
      {R"({"type":"array","contains":true})", R"({"type":"array"})", "", "SCHEMA_ADDED #/contains"},
      {R"({"type":"array","contains":{"type":"integer"}})", R"({"type":"array","contains":{"type":"number"}})", "",
       "TYPE_NARROWED #/contains"},
      {R"({"$schema":"https://json-schema.org/draft/2019-09/schema","contains":true})",
       R"({"$schema":"https://json-schema.org/draft/2019-09/schema","contains":true,"minContains":0})", "",
       "MIN_CONTAINS_INCREASED #/minContains"},
      {R"({"type":"array","items":{"type":"integer"}})", R"({"type":"array","items":{"type":"number"}})", "",
       "TYPE_NARROWED #/items"},
      {R"({"type":"array","items":{"type":"integer"}})", R"({"type":"array"})", "", "SCHEMA_ADDED #/items"},
      {R"({"items":[{"type":"integer"}]})", R"({"items":[{"type":"number"}]})", "", "TYPE_NARROWED #/items/0"},
      {R"({"items":[{}]})", R"({"items":[{},{"type":"null"}]})", "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1", ""},
      {R"({"items":[{}]})", R"({"items":[{},{}]})", "", ""},
      {R"({"items":[{}],"additionalItems":false})", R"({"items":[{},{"type":"null"}],"additionalItems":false})", "",
       "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1"},
      {R"({"items":[{}],"additionalItems":{"type":"null"}})",
       R"({"items":[{},{"type":"null"}],"additionalItems":{"type":"null"}})", "", ""},
      {R"({"items":[{}],"additionalItems":{"type":"null"}})",
       R"({"items":[{},{"type":"string"}],"additionalItems":{"type":"null"}})",
       "TYPE_CHANGED #/items/1, ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1",
       "TYPE_CHANGED #/items/1, ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1"},
      {R"({"items":[{}],"additionalItems":false})", R"({"items":[{}]})", "",
       "ADDITIONAL_ITEMS_REMOVED #/additionalItems"},
      {R"({"items":[{}],"additionalItems":{"type":"null"}})", R"({"items":[{}]})", "",
       "ADDITIONAL_ITEMS_NARROWED #/additionalItems"},
  });
}

TEST_CASE("json compatibility: several schemas together") {
  check({
      {R"({"oneOf":[{"type":"string"},{"type":"null"}]})",
       R"({"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}]})", "", "SUM_TYPE_NARROWED #"},
      {R"({"allOf":[{"maxLength":5},{"minLength":2}]})", R"({"allOf":[{"maxLength":5}]})", "",
       "PRODUCT_TYPE_EXTENDED #"},
      {R"({"allOf":[{"maxLength":5},{"minLength":2},{"pattern":"a"}]})",
       R"({"allOf":[{"maxLength":5},{"minLength":2}]})", "", "PRODUCT_TYPE_EXTENDED #"},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})", R"({"anyOf":[{"type":"string"},{"type":"integer"}]})",
       "COMBINED_TYPE_SUBSCHEMAS_CHANGED #, TYPE_CHANGED #/anyOf/1",
       "COMBINED_TYPE_SUBSCHEMAS_CHANGED #, TYPE_CHANGED #/anyOf/1"},
      {R"({"oneOf":[{"type":"string"},{"type":"null"}]})", R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "",
       "COMBINED_TYPE_CHANGED #"},
      {R"({"type":"string"})", R"({"oneOf":[{"type":"string"}]})", "", ""},
      {R"({"type":"string"})", R"({"anyOf":[{"type":"null"},{"type":"string"}]})", "", "TYPE_CHANGED #/anyOf/0"},
      {R"({"not":{"type":"string"}})", R"({"not":{"type":"string","maxLength":5}})", "", "NOT_TYPE_EXTENDED #/not"},
      {R"({"if":{"type":"string"},"then":{"maxLength":5}})", R"({"if":{"type":"string"},"then":{"maxLength":6}})", "",
       "MAX_LENGTH_DECREASED #/then/maxLength"},
      {R"({"if":{"type":"string"},"then":{"maxLength":5}})", R"({"if":{"type":"null"},"then":{"maxLength":5}})",
       "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/if", "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/if"},
  });
}

TEST_CASE("json compatibility: references are followed, also in circles") {
  check({
      {R"({"$ref":"#/definitions/a","definitions":{"a":{"type":"integer"}}})", R"({"type":"number"})", "",
       "TYPE_NARROWED #"},
      {R"({"properties":{"n":{"type":"integer"},"next":{"$ref":"#"}}})",
       R"({"properties":{"n":{"type":"number"},"next":{"$ref":"#"}}})", "", "TYPE_NARROWED #/properties/n"},
      {R"({"$ref":"#"})", R"({"$ref":"#"})", "", ""},
      {R"({"oneOf":[{"type":"null"},{"properties":{"l":{"$ref":"#"},"r":{"$ref":"#"}}}]})",
       R"({"oneOf":[{"type":"null"},{"properties":{"l":{"$ref":"#"},"r":{"$ref":"#"}}},{"type":"string"}]})", "",
       "SUM_TYPE_NARROWED #"},
      {R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/a","maxLength":5,"$defs":{"a":{"minLength":1}}})",
       R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/a","maxLength":6,"$defs":{"a":{"minLength":1}}})",
       "", "COMBINED_TYPE_SUBSCHEMAS_CHANGED #, MAX_LENGTH_DECREASED #/maxLength"},
  });
}

TEST_CASE("json compatibility: what the lenient policy lets pass") {
  const auto lenient = [](std::string_view writer, std::string_view reader) {
    return kinds(writer, reader, CompatibilityPolicy::lenient);
  };
  CHECK(lenient(PG_OPEN(""), PG_OPEN(R"("a":{"type":"string"})")) == "");
  CHECK(lenient(PG_OPEN(""), PG_CLOSED("")) == "");
  CHECK(lenient(PG_OPEN(""), PG_PARTIAL("")) == "");
  CHECK(lenient(PG_CLOSED(R"("a":{"type":"string"})"), PG_CLOSED("")) ==
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a");
  CHECK(lenient(PG_OPEN(""), R"({"type":"object","required":["a"],"properties":{"a":{"type":"string"}}})") ==
        "REQUIRED_ATTRIBUTE_ADDED #/required/a");
  CHECK(lenient(R"({"items":[{}]})", R"({"items":[{},{"type":"null"}]})") ==
        "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1");
}

TEST_CASE("json compatibility: schemas in which comparing would double with each level, or go very deep") {
  std::string doubling = R"({"$ref":"#/definitions/d0","definitions":{)", chain = doubling;
  for (int i = 0; i < 2000; ++i) {
    const auto next = fmt::format(R"({{"$ref":"#/definitions/d{}"}})", i + 1);
    if (i < 60) doubling += fmt::format(R"("d{}":{{"anyOf":[{},{{"items":{}}}]}},)", i, next, next);
    chain += fmt::format(R"("d{}":{{"items":{}}},)", i, next);
  }
  doubling += R"("d60":{"type":"string"}}})";
  chain += R"("d2000":{}}})";
  CHECK(kinds(doubling, R"({"title":"x",)" + doubling.substr(1)) == "");
  const auto found = kinds(chain, R"({"title":"x",)" + chain.substr(1));
  CHECK(found.starts_with("limit: the schemas are too deep to be compared: at most 500"));
}

TEST_CASE("json compatibility: large schemas, each part of which could be compared with each") {
  std::string properties = R"({"type":"object","additionalProperties":false,"properties":{"p":{})",
              parts = R"({"anyOf":[{"type":"null"})";
  for (int i = 0; i < 5000; ++i) properties += fmt::format(R"(,"p{}":{{"type":"integer"}})", i);
  for (int i = 0; i < 5000; ++i)
    parts += fmt::format(R"(,{{"properties":{{"a{}":{{"anyOf":[{{"const":{}}},true]}}}}}})", i, i);
  CHECK(kinds(properties + "}}", R"({"title":"x",)" + properties.substr(1) + R"(,"q":{}}})") == "");
  CHECK(kinds(parts + "]}", R"({"title":"x",)" + parts.substr(1) + "]}") == "");
}

// Of the draft in which "unevaluatedProperties" and "prefixItems" are keywords.
std::string newest(std::string_view members) {
  return fmt::format(R"({{"$schema":"https://json-schema.org/draft/2020-12/schema",{}}})", members);
}

TEST_CASE("json compatibility: what is unevaluated is what nothing describes") {
  const Change changes[] = {
      {R"("properties":{"a":{}},"unevaluatedProperties":false)",
       R"("properties":{"a":{},"b":{"type":"string"}},"unevaluatedProperties":false)", "",
       "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b"},
      {R"("properties":{"a":{}},"unevaluatedProperties":{"type":"string"})",
       R"("properties":{"a":{},"b":{"type":"string"}},"unevaluatedProperties":{"type":"string"})", "", ""},
      {R"("properties":{"a":{}},"unevaluatedProperties":{"type":"string"})",
       R"("properties":{"a":{},"b":{"type":"number"}},"unevaluatedProperties":{"type":"string"})",
       "TYPE_CHANGED #/properties/b, PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b",
       "TYPE_CHANGED #/properties/b, PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"},
      // What stands beside it is not unevaluated.
      {R"("allOf":[{"properties":{"b":{"type":"string"}}}],"properties":{"a":{}},"unevaluatedProperties":false)",
       R"("properties":{"a":{}},"unevaluatedProperties":false)", "UNEVALUATED", "SAME"},
      {R"("properties":{"a":{}},"additionalProperties":false)",
       R"("properties":{"a":{}},"unevaluatedProperties":false)", "", ""},
      {R"("prefixItems":[{"type":"number"},{"type":"number"}],"unevaluatedItems":false)",
       R"("prefixItems":[{"type":"number"}],"unevaluatedItems":false)",
       "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/prefixItems/1", ""},
      {R"("prefixItems":[{"type":"number"},{"type":"number"}],"unevaluatedItems":{"type":"string"})",
       R"("prefixItems":[{"type":"number"}],"unevaluatedItems":{"type":"string"})",
       "TYPE_CHANGED #/prefixItems/1, ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/prefixItems/1",
       "TYPE_CHANGED #/prefixItems/1, ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/prefixItems/1"},
      {R"("prefixItems":[{"type":"number"}],"unevaluatedItems":{"type":"string"})",
       R"("prefixItems":[{"type":"number"},{"type":"string"}],"unevaluatedItems":{"type":"string"})", "", ""},
      // With "contains", nobody knows which items are left.
      {R"("prefixItems":[{}],"contains":{},"unevaluatedItems":false)",
       R"("prefixItems":[{}],"contains":{},"items":false)", "UNEVALUATED", "SAME"},
  };
  for (const auto& change : changes) {
    const std::string before = newest(change.before), after = newest(change.after);
    CAPTURE(before);
    CAPTURE(after);
    const std::string there = kinds(before, after), back = kinds(after, before);
    if (change.kinds == std::string("UNEVALUATED"))
      CHECK_FALSE(there.empty());
    else
      CHECK(there == change.kinds);
    if (change.kinds_back != std::string("SAME")) CHECK(back == change.kinds_back);
  }
  // Before there was such a keyword it says nothing.
  CHECK(kinds(R"({"properties":{"a":{},"b":{}},"unevaluatedProperties":false})",
              R"({"properties":{"a":{}},"unevaluatedProperties":false})") == "");
}

TEST_CASE("json compatibility: all of several schemas is read by what reads one of them") {
  const std::string a = R"({"required":["a"],"properties":{"a":{"type":"string"}}})",
                    b = R"({"required":["b"],"properties":{"b":{"type":"number"}}})";
  const auto of = [](const char* keyword, std::string_view parts) {
    return fmt::format(R"({{"{}":[{}]}})", keyword, parts);
  };
  for (const char* keyword : {"allOf", "anyOf", "oneOf"}) CHECK(kinds(of("allOf", a + "," + b), of(keyword, b)) == "");
  CHECK(kinds(of("allOf", a + "," + b), of("anyOf", b + R"(,{"type":"null"})")) == "");
  CHECK(kinds(of("allOf", a + "," + b), of("oneOf", a + "," + b)) != "");  // a value that is both is of neither
  CHECK(kinds(of("anyOf", a + "," + b), of("anyOf", b)) != "");
  CHECK(kinds(of("oneOf", a), of("allOf", a)) == "");
}

// Each of `count` kinds of nodes has two members, which may be any of them.
std::string tree(int count, const char* kind_type) {
  std::string any, nodes;
  for (int i = 0; i < count; ++i) any += fmt::format(R"({}{{"$ref":"#/definitions/T{}"}})", i == 0 ? "" : ",", i);
  for (int i = 0; i < count; ++i) {
    nodes += fmt::format(
        R"({}"T{}":{{"type":"object","properties":{{"id":{{"type":{}}},"kind":{{"const":"T{}"}},"u":{{"oneOf":[{}]}},"r":{{"oneOf":[{}]}}}}}})",
        i == 0 ? "" : ",", i, i == 0 ? kind_type : R"("string")", i, any, any);
  }
  return fmt::format(R"({{"type":"object","definitions":{{{}}},"properties":{{"p":{{"oneOf":[{}]}}}}}})", nodes, any);
}

TEST_CASE("json compatibility: schemas that contain each other are compared once") {
  for (const int count : {5, 12, 30}) {
    CHECK(kinds(tree(count, R"("string")"), tree(count, R"(["string","null"])")) == "");
    const std::string back = kinds(tree(count, R"(["string","null"])"), tree(count, R"("string")"));
    CHECK(back != "");
    if (count <= 12) CHECK_FALSE(back.starts_with("limit"));
  }
}

TEST_CASE("json compatibility: what is too large to be compared is not called incompatible") {
  std::string before, after;
  for (int i = 0; i < 400; ++i) {
    before += fmt::format(R"({}{{"type":"object","properties":{{"a{}":{{"type":"string"}}}}}})", i == 0 ? "" : ",", i);
    after += fmt::format(R"({}{{"type":"array","maxItems":{}}})", i == 0 ? "" : ",", i);
  }
  const auto found =
      schema_of(fmt::format(R"({{"anyOf":[{}]}})", after))
          ->cannot_read(*schema_of(fmt::format(R"({{"anyOf":[{}]}})", before)), CompatibilityPolicy::strict);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::limit);
  CHECK(found.error().what.find("at most") != std::string::npos);
}

}  // namespace
}  // namespace pg
