// What is an Avro schema and what is not, and the text by which it is kept.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/schema/schema.h"

namespace pg {
namespace {

std::string canonical(std::string_view text) {
  const auto schema = parse_schema(SchemaType::avro, text);
  CAPTURE(text);
  REQUIRE_MESSAGE(schema, schema.error().what);
  // The text of the text is the same.
  CHECK((*parse_schema(SchemaType::avro, (*schema)->canonical()))->canonical() == (*schema)->canonical());
  return (*schema)->canonical();
}

std::string refusal(std::string_view text) {
  const auto schema = parse_schema(SchemaType::avro, text);
  CAPTURE(text);
  REQUIRE_FALSE(schema);
  CHECK(schema.error().code == Errc::invalid_argument);
  return schema.error().what;
}

std::string record(std::string_view field) {
  return fmt::format(R"({{"type":"record","name":"R","fields":[{}]}})", field);
}

TEST_CASE("avro parse: the text that is kept") {
  struct Row {
    std::string_view given, kept;
  };
  const Row rows[] = {
      {R"( "int" )", R"("int")"},
      {R"({"type":"string"})", R"("string")"},
      {R"({"type":"string","doc":"x","name":"y"})", R"("string")"},
      {R"({"logicalType":"date","type":"int"})", R"({"type":"int","logicalType":"date"})"},
      {R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":9})",
       R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":9})"},
      {R"([ "null", {"type":"map","values":"long"} ])", R"(["null",{"type":"map","values":"long"}])"},
      {R"({"java-class":"L","items":{"type":"int"},"type":"array"})",
       R"({"type":"array","items":"int","java-class":"L"})"},
      {R"({"size":16,"type":"fixed","name":"a.b.F","aliases":["a.b.G","c.H","I"]})",
       R"({"type":"fixed","name":"F","namespace":"a.b","size":16,"aliases":["G","c.H","I"]})"},
      {R"({"default":"X","symbols":["X","Y"],"name":"E","type":"enum","doc":"ä","p":1})",
       R"({"type":"enum","name":"E","doc":"ä","symbols":["X","Y"],"default":"X","p":1})"},
      {R"({"type":"error","name":"R","namespace":"","fields":[]})", R"({"type":"error","name":"R","fields":[]})"},
      {R"({"type":"record","name":"R","namespace":"n","x":{"b":1,"a":[]},"doc":"d","fields":[{"type":"int","doc":"e","name":"a","aliases":["b"],"order":"ignore","default":3,"y":null},{"name":"c","type":"int","order":"ascending"}]})",
       R"({"type":"record","name":"R","namespace":"n","doc":"d","fields":[{"name":"a","type":"int","doc":"e","default":3,"order":"ignore","aliases":["b"],"y":null},{"name":"c","type":"int"}],"x":{"b":1,"a":[]}})"},
      // Namespaces where they change, and only there.
      {R"({"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"record","name":"S","namespace":"n","fields":[{"name":"r","type":["null","n.R"]}]}},{"name":"b","type":{"type":"fixed","name":"m.F","size":1}},{"name":"c","type":"m.F"},{"name":"d","type":"S"}]})",
       R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"record","name":"S","fields":[{"name":"r","type":["null","R"]}]}},{"name":"b","type":{"type":"fixed","name":"F","namespace":"m","size":1}},{"name":"c","type":"m.F"},{"name":"d","type":"S"}]})"},
      {R"({"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"enum","name":"E","namespace":"","symbols":[]}},{"name":"b","type":"E"}]})",
       R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"enum","name":"E","namespace":"","symbols":[]}},{"name":"b","type":"E"}]})"},
      {R"({"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"n.R"}}]})",
       R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"R"}]})"},
      // Not "map", which would be another type.
      {R"([{"type":"fixed","name":"map","size":1},{"type":"record","name":"n.map","fields":[{"name":"a","type":["null","n.map"]}]}])",
       R"([{"type":"fixed","name":"map","size":1},{"type":"record","name":"map","namespace":"n","fields":[{"name":"a","type":["null","n.map"]}]}])"},
  };
  for (const Row& row : rows) CHECK(canonical(row.given) == row.kept);
}

TEST_CASE("avro parse: what is no schema, and where") {
  struct Row {
    std::string text, refusal;
  };
  const Row rows[] = {
      {"5", "a schema is a name, an object or an array"},
      {R"("foo")", "unknown type 'foo'"},
      {R"("record")", R"('record' needs an object of its own, {"type": "record", ...})"},
      {R"({})", "'type' is missing"},
      {R"({"type":{"type":"int"}})", "'type' is not a string"},
      {R"({"type":"foo"})", "/type: unknown type 'foo'"},
      {R"({"type":"array"})", "'items' is missing"},
      {R"({"type":"map","items":"int"})", "'values' is missing"},
      {R"({"type":"array","items":["foo"]})", "/items/0: unknown type 'foo'"},
      {R"({"type":"map","values":"foo"})", "/values: unknown type 'foo'"},
      {R"(["int",["null"]])", "/1: a union directly in a union"},
      {R"(["int","string","int"])", "/2: 'int' is in the union twice"},
      {R"(["int",{"type":"int","logicalType":"date"}])", "/1: 'int' is in the union twice"},
      {R"([{"type":"map","values":"int"},{"type":"map","values":"long"}])", "/1: 'map' is in the union twice"},
      {R"({"type":"fixed","size":1})", "'name' is missing"},
      {R"({"type":"fixed","name":7,"size":1})", "'name' is not a string"},
      {R"({"type":"fixed","name":"","size":1})", "'' in namespace '' is not a name"},
      {R"({"type":"fixed","name":"1F","size":1})", "'1F' in namespace '' is not a name"},
      {R"({"type":"fixed","name":"F","namespace":"a..b","size":1})", "'F' in namespace 'a..b' is not a name"},
      {R"({"type":"fixed","name":"a.int","size":1})", "'int' is Avro's own"},
      {R"({"type":"fixed","name":"F"})", "'size' is missing"},
      {R"({"type":"fixed","name":"F","size":-1})", "'size' is not a size"},
      {R"({"type":"fixed","name":"F","size":1.5})", "'size' is not a size"},
      {R"({"type":"fixed","name":"F","size":2147483648})", "'size' is not a size"},
      {R"({"type":"fixed","name":"F","size":1,"aliases":"G"})", "'aliases' is not an array"},
      {R"({"type":"fixed","name":"F","size":1,"aliases":["G",2]})", "/aliases/1: an alias that is not a string"},
      {R"({"type":"fixed","name":"F","size":1,"aliases":["a b"]})", "/aliases/0: 'a b' is not a name"},
      {R"({"type":"enum","name":"E"})", "'symbols' is missing"},
      {R"({"type":"enum","name":"E","symbols":"A"})", "'symbols' is not an array"},
      {R"({"type":"enum","name":"E","symbols":["A","b-c"]})", "/symbols/1: a symbol is a name"},
      {R"({"type":"enum","name":"E","symbols":["A","A"]})", "/symbols/1: 'A' is there twice"},
      {R"({"type":"enum","name":"E","symbols":["A"],"default":"B"})", "/default: no such symbol"},
      {R"({"type":"record","name":"R"})", "'fields' is missing"},
      {record("7"), "/fields/0: a field is an object"},
      {record(R"({"type":"int"})"), "/fields/0: 'name' is missing"},
      {record(R"({"name":"a-b","type":"int"})"), "/fields/0: 'a-b' is not a name"},
      {record(R"({"name":"a"})"), "/fields/0: 'type' is missing"},
      {record(R"({"name":"a","type":"int"},{"name":"b","type":"Foo"})"), "/fields/1/type: unknown type 'Foo'"},
      {record(R"({"name":"a","type":"array","items":"int"})"),
       R"(/fields/0/type: 'array' needs an object of its own, {"type": "array", ...})"},
      {record(R"({"name":"a","type":"int"},{"name":"a","type":"int"})"), "/fields/1: 'a' is the name of two fields"},
      {record(R"({"name":"a","type":"int","order":"up"})"), "/fields/0: unknown order 'up'"},
      {record(R"({"name":"a","type":{"type":"record","name":"R","fields":[]}})"),
       "/fields/0/type: 'R' is defined a second time"},
      {record(R"({"name":"a","type":"F"},{"name":"b","type":{"type":"fixed","name":"F","size":1}})"),
       "/fields/0/type: unknown type 'F'"},
  };
  for (const Row& row : rows) CHECK(refusal(row.text) == row.refusal);
  CHECK(refusal("{").find("line 1, column 2") != std::string::npos);
}

TEST_CASE("avro parse: a default is a value of its field") {
  struct Row {
    std::string_view type, value, refusal;  // none: it is one
  };
  const Row rows[] = {
      {R"("null")", "null", ""},
      {R"("null")", "0", "0 is not of type null"},
      {R"("boolean")", "true", ""},
      {R"("boolean")", "1", "1 is not of type boolean"},
      {R"("int")", "2147483647", ""},
      {R"("int")", "2147483648", "2147483648 is not of type int"},
      {R"("long")", "-9223372036854775808", ""},
      {R"("long")", "9223372036854775808", "9223372036854775808 is not of type long"},
      {R"("float")", "1", ""},
      {R"("double")", "\"NaN\"", ""},
      {R"("double")", "\"x\"", "'x' is not of type double"},
      {R"("string")", "\"ä\"", ""},
      {R"("string")", "null", "null is not of type string"},
      {R"("bytes")", R"("\u00ff")", ""},
      {R"("bytes")", R"("\u0100")", "'Ā' is not of type bytes: its characters are bytes, up to \\u00ff"},
      {R"({"type":"fixed","name":"F","size":2})", R"("ab")", ""},
      {R"({"type":"fixed","name":"F","size":2})", R"("abc")", "3 bytes instead of 2"},
      {R"({"type":"enum","name":"E","symbols":["A"]})", R"("A")", ""},
      {R"({"type":"enum","name":"E","symbols":["A"]})", R"("B")", "'B' is not a symbol of E"},
      {R"({"type":"array","items":"int"})", "[1,2]", ""},
      {R"({"type":"array","items":"int"})", "[1,\"x\"]", "'x' is not of type int"},
      {R"({"type":"map","values":"int"})", "{\"a\":1}", ""},
      {R"({"type":"map","values":"int"})", "[]", "an array is not of type map"},
      {R"(["null","int"])", "null", ""},
      {R"(["int","null"])", "null", ""},  // of any branch, as in Avro since 1.12 and in Java before that
      {R"(["null","int"])", R"("x")", "'x' is not of type null or int"},
      {R"(["null",{"type":"map","values":"int"}])", R"({"map":1})", ""},  // no branch is named in a default
      {R"({"type":"record","name":"S","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":2}]})",
       R"({"x":1})", ""},
      {R"({"type":"record","name":"S","fields":[{"name":"x","type":"int"}]})", "{}",
       "missing, and the field has no default"},
      {R"({"type":"array","items":"R"})", R"([{"f":[]}])", ""},  // of a type that is not complete yet
      {R"({"type":"array","items":"R"})", R"([{}])", "nested more than 100 levels deep"},
      {R"("R")", "{}", "nested more than 100 levels deep"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.type);
    CAPTURE(row.value);
    const auto schema = parse_schema(
        SchemaType::avro, record(fmt::format(R"({{"name":"f","type":{},"default":{}}})", row.type, row.value)));
    CHECK(schema.has_value() == row.refusal.empty());
    if (schema) continue;
    CHECK(schema.error().what.starts_with("/fields/0/default"));
    CHECK(schema.error().what.ends_with(fmt::format(": {}", row.refusal)));
  }
}

TEST_CASE("avro parse: defaults in defaults do not grow without end") {
  std::string fields = R"({"name":"f0","type":{"type":"record","name":"R0","fields":[]},"default":{}})";
  for (int i = 1; i < 60; ++i) {
    fields += fmt::format(
        R"(,{{"name":"f{0}","type":{{"type":"record","name":"R{0}","fields":[{{"name":"a","type":"R{1}","default":{{}}}},{{"name":"b","type":"R{1}","default":{{}}}}]}}}})",
        i, i - 1);
  }
  CHECK(refusal(record(fields)).ends_with("its defaults take more than 16 MiB"));
}

TEST_CASE("avro parse: many attributes are kept, in their order") {
  std::string text = R"({"type":"int")";
  for (int i = 0; i < 50'000; ++i) text += fmt::format(R"(,"a{}":1)", i);
  CHECK(canonical(text + "}") == text + "}");
}

TEST_CASE("avro parse: what is deep, long or large") {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += R"({"type":"array","items":)";
  CHECK(refusal(deep + "\"int\"" + std::string(200, '}')) == "JSON nested more than 100 levels deep");
  // Each in the one before, in a text that is flat.
  std::string chain = R"([{"type":"record","name":"R0","fields":[]})";
  for (int i = 1; i < 10'000; ++i)
    chain += fmt::format(R"(,{{"type":"record","name":"R{}","fields":[{{"name":"a","type":"R{}"}}]}})", i, i - 1);
  chain += "]";
  CHECK(canonical(chain) == chain);
  const auto schema = *parse_schema(SchemaType::avro, chain);
  CHECK(schema->encode(R"({"R2":{"a":{"a":{}}}})").has_value());
}

}  // namespace
}  // namespace pg
