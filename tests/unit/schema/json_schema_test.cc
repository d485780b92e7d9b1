#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/schema/schema.h"

namespace pg {
namespace {

std::unique_ptr<Schema> schema_of(std::string_view text) {
  auto schema = parse_schema(SchemaType::json, text);
  REQUIRE_MESSAGE(schema, schema.error().what);
  return std::move(*schema);
}

std::string parse_error(std::string_view text) {
  const auto schema = parse_schema(SchemaType::json, text);
  if (schema) return "";
  CHECK(schema.error().code == Errc::invalid_argument);
  return schema.error().what;
}

std::string encode_error(std::string_view schema, std::string_view value) {
  const auto encoded = schema_of(schema)->encode(value);
  if (encoded) return "";
  CHECK(encoded.error().code == Errc::invalid_argument);
  return encoded.error().what;
}

TEST_CASE("json schema: the canonical text is compact, its members in order") {
  const auto schema = schema_of("{ \"type\" : \"object\",\n \"properties\": { \"b\": true, \"a\": {} } }");
  CHECK(schema->type() == SchemaType::json);
  CHECK(schema->canonical() == R"({"type":"object","properties":{"b":true,"a":{}}})");
  CHECK(schema_of(" true ")->canonical() == "true");
}

TEST_CASE("json schema: what is no schema is refused with its place") {
  CHECK(parse_error("{\"a\":").find("line 1, column 6") != std::string::npos);
  CHECK(parse_error("[]") == "#: a JSON schema is an object or a boolean");
  CHECK(parse_error("5") == "#: a JSON schema is an object or a boolean");
  CHECK(parse_error(R"({"type":5})") == "#/type: must be the name of a type, or an array of some");
  CHECK(parse_error(R"({"type":"strin"})") == "#/type: must be the name of a type, or an array of some");
  CHECK(parse_error(R"({"properties":{"a/b":{"minLength":-1}}})") ==
        "#/properties/a~1b/minLength: must be a whole number, not negative");
  CHECK(parse_error(R"({"allOf":[{},{"items":3}]})") == "#/allOf/1/items: must be an object or a boolean");
  CHECK(parse_error(R"({"anyOf":[]})") == "#/anyOf: must be an array of at least one schema");
  CHECK(parse_error(R"({"multipleOf":0})") == "#/multipleOf: must be a number above 0");
  CHECK(parse_error(R"({"required":"a"})") == "#/required: must be an array of strings");
  CHECK(parse_error(R"({"dependencies":{"a":[1]}})") == "#/dependencies/a: must be an array of strings");
  CHECK(parse_error(R"({"exclusiveMaximum":true})") == "#/exclusiveMaximum: must be a number");
  CHECK(parse_error(R"({"$schema":"http://json-schema.org/draft-04/schema#","exclusiveMaximum":5})") ==
        "#/exclusiveMaximum: must be a boolean");
  CHECK(parse_error(R"({"$schema":"http://json-schema.org/draft-04/schema#","not":true})") ==
        "#/not: must be an object");
  CHECK(parse_error(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":{}})") ==
        "#/prefixItems: must be an array of at least one schema");
}

TEST_CASE("json schema: references must lead somewhere inside the schema, and none is fetched") {
  CHECK(parse_error(R"({"properties":{"a":{"$ref":"#/definitions/x"}}})") ==
        "#/properties/a/$ref: '#/definitions/x' is not in this schema");
  CHECK(parse_error(R"({"$ref":"http://example.com/x.json"})") ==
        "#/$ref: 'http://example.com/x.json' is another document, and none is fetched");
  CHECK(parse_error(R"({"$ref":"other.json#/a"})") ==
        "#/$ref: 'other.json#/a' is another document, and none is fetched");
  CHECK(parse_error(R"({"$ref":"#nobody"})") == "#/$ref: '#nobody' is not in this schema");
  // What is referred to has to be a schema as well.
  CHECK(parse_error(R"({"$ref":"#/elsewhere","elsewhere":{"type":1}})") ==
        "#/elsewhere/type: must be the name of a type, or an array of some");
  CHECK(encode_error(R"({"$ref":"#/a%20b/c~1d","a b":{"c/d":{"type":"string"}}})", "1") != "");
  CHECK(encode_error(R"({"$ref":"#n","definitions":{"x":{"$id":"#n","type":"string"}}})", "1") != "");
}

TEST_CASE("json schema: what ends in a circle is found when a value is checked, not by the stack") {
  for (const char* const text : {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"not":{"$ref":"#"}})",
                                 R"({"oneOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"$ref":"#"}}})"}) {
    CHECK(encode_error(text, "1") == "more than 1000 schemas inside each other at #");
  }
}

TEST_CASE("json schema: work that doubles with each level is given up") {
  const auto schema = R"({"additionalProperties":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}})";
  std::string deep = "1";
  for (int i = 0; i < 40; ++i) deep = "{\"a\":" + deep + "}";
  CHECK(encode_error(schema, deep) == "checking the value against its schema takes too many steps");
}

TEST_CASE("json schema: patterns are checked when the schema is read, and are never slow") {
  CHECK(parse_error(R"({"pattern":"a("})") == "#/pattern: 'a(' is not a regular expression: missing ): a(");
  CHECK(parse_error(R"({"patternProperties":{"[":true}})")
            .starts_with("#/patternProperties/[: '[' is not a regular expression"));
  const std::string nested = R"({"pattern":"^(a+)+$"})";
  CHECK(encode_error(nested, '"' + std::string(100'000, 'a') + '"') == "");
  CHECK(encode_error(nested, '"' + std::string(100'000, 'a') + "!\"") != "");
  CHECK(encode_error(R"({"pattern":"^\\u00e4\\/\\d$"})", "\"\\u00e4/5\"") == "");
}

TEST_CASE("json schema: a pattern that RE2 cannot do registers, but values are not checked against it") {
  for (const char* const text : {R"json({"properties":{"a":{"pattern":"^(?!x)"}}})json",
                                 R"json({"properties":{"a":{"pattern":"(a)\\1"}}})json"}) {
    const auto encoded = schema_of(text)->encode("{}");
    REQUIRE_FALSE(encoded);
    CHECK(encoded.error().code == Errc::unsupported_version);
    CHECK(encoded.error().what.find("at #/properties/a/pattern") != std::string::npos);
  }
}

TEST_CASE("json schema: drafts that cannot be validated are read, and named when a value comes") {
  const auto error_of = [](std::string_view text) { return schema_of(text)->encode("1").error(); };
  const auto error = error_of(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{}]})");
  CHECK(error.code == Errc::unsupported_version);
  CHECK(error.what == "values cannot be checked against schemas of draft 2020-12, only of draft 4, 6 and 7");
  CHECK(error_of(R"({"$schema":"https://json-schema.org/draft/2019-09/schema"})").what.find("draft 2019-09") !=
        std::string::npos);
  CHECK(error_of(R"({"$schema":"http://json-schema.org/draft-03/schema#","type":{"any":1}})").what.find("draft 3,") !=
        std::string::npos);
  CHECK(
      error_of(R"({"$schema":"http://example.com/mine","type":{},"$ref":"x"})").what.find("http://example.com/mine") !=
      std::string::npos);
}

TEST_CASE("json schema: a value is kept as it came") {
  const auto schema = schema_of(R"({"type":"object"})");
  CHECK(schema->encode("{ \"b\": 1.50,\n\"a\" :2 }") == "{ \"b\": 1.50,\n\"a\" :2 }");
  CHECK(schema->decode("{ \"b\": 1.50,\n\"a\" :2 }") == "{\"b\":1.50,\"a\":2}");
  const std::string exact = R"({"n":12345678901234567890123,"s":" \u00e9 \" \\","t":[0.10000000000000000555, "\\"]})";
  CHECK(schema->decode("\xef\xbb\xbf " + exact + "\r\n") ==
        R"({"n":12345678901234567890123,"s":" \u00e9 \" \\","t":[0.10000000000000000555,"\\"]})");
  CHECK(schema->decode("{").error().code == Errc::corrupt);
  CHECK(schema->encode("{").error().what.find("line 1, column 2") != std::string::npos);
  CHECK_FALSE(schema->encode(std::string(200'000, '[')));
}

TEST_CASE("json schema: a value that does not match is refused with each place and reason, the first few") {
  const auto schema = R"({"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"names":{"items":
      {"type":"string","maxLength":3}}},"additionalProperties":false})";
  CHECK(encode_error(schema, R"({"id":1,"names":["abc","äöü"]})") == "");
  CHECK(encode_error(schema, "5") == "#: 5 is not of type object");
  CHECK(encode_error(schema, R"({"names":["abcd",7],"x/y":1})") ==
        "#: member \"id\" is missing; #/names/0: 4 characters, at most 3 are allowed; #/names/1: 7 is not of type "
        "string; "
        "#/x~1y: no such member is allowed");
  CHECK(
      encode_error(R"({"items":{"type":"null"}})", "[1,2,3,4,5,6]") ==
      "#/0: 1 is not of type null; #/1: 2 is not of type null; #/2: 3 is not of type null; #/3: 4 is not of type null; "
      "#/4: 5 is not of type null; and more");
  CHECK(encode_error(R"({"anyOf":[{"type":"null"},{"minimum":5}]})", "1") ==
        "#: 1 matches none of the 2 schemas of 'anyOf'");
  CHECK(encode_error(R"({"const":"x"})", '"' + std::string(100, 'y') + '"') ==
        "#: \"" + std::string(60, 'y') + "…\" is not \"x\"");
}

TEST_CASE("json schema: numbers are compared as they are, not as doubles") {
  CHECK(encode_error(R"({"minimum":9007199254740993})", "9007199254740992") != "");
  CHECK(encode_error(R"({"maximum":5})", "18446744073709551615") != "");
  CHECK(encode_error(R"({"const":9007199254740993})", "9007199254740992") != "");
  CHECK(encode_error(R"({"enum":[1.0]})", "1") == "");
  CHECK(encode_error(R"({"multipleOf":0.01})", "19.99") == "");
  CHECK(encode_error(R"({"multipleOf":0.01})", "19.995") != "");
  CHECK(encode_error(R"({"multipleOf":3})", "18446744073709551615") == "");
  CHECK(encode_error(R"({"multipleOf":7})", "18446744073709551615") != "");
  CHECK(encode_error(R"({"type":"integer"})", "1e300") == "");
}

TEST_CASE("json schema: members that differ only after a zero byte differ") {
  CHECK(encode_error(R"({"properties":{"a\u0000b":false}})", R"({"a":1})") == "");
  CHECK(encode_error(R"({"properties":{"a\u0000b":false}})", R"({"a\u0000b":1})") != "");
}

TEST_CASE("json schema: many unique items, many members, many alternatives") {
  std::string items = "[0", members = "{\"m0\":0", required = R"({"required":["m0")", values = R"({"enum":[0)";
  for (int i = 1; i < 2000; ++i) {
    items += fmt::format(",{}", i);
    members += fmt::format(",\"m{}\":{}", i, i);
    required += fmt::format(",\"m{}\"", i);
    values += fmt::format(",{}", i);
  }
  CHECK(encode_error(R"({"uniqueItems":true})", items + "]") == "");
  CHECK(encode_error(R"({"uniqueItems":true})", items + ",0]") == "#/2000: 0 is there twice");
  CHECK(encode_error(required + "]}", members + "}") == "");
  CHECK(encode_error(required + ",\"other\"]}", members + "}") == "#: member \"other\" is missing");
  CHECK(encode_error(values + "]}", "1999") == "");
  CHECK(encode_error(values + "]}", "2000") == "#: 2000 is none of the values that are allowed");
}

}  // namespace
}  // namespace pg
