// JSON to Avro's bytes and back.
#include <doctest/doctest.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/schema/schema.h"

namespace pg {
namespace {

using namespace std::string_literals;

std::unique_ptr<Schema> parsed(std::string_view text) {
  auto schema = parse_schema(SchemaType::avro, text);
  CAPTURE(text);
  REQUIRE_MESSAGE(schema, schema.error().what);
  return std::move(*schema);
}

const std::string kList =
    R"({"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]}]})";
const std::string kBook =
    R"({"type":"record","name":"n.B","fields":[{"name":"title","type":"string"},{"name":"price","type":"double","default":1},{"name":"tags","type":["null",{"type":"array","items":"string"}],"default":null}]})";

TEST_CASE("avro codec: values, their bytes and their JSON") {
  struct Row {
    std::string_view schema, json, bytes;
    std::string_view printed = {};  // empty: as it was given
  };
  const Row rows[] = {
      {R"("null")", "null", ""},
      {R"("boolean")", "true", "01"},
      {R"("boolean")", "false", "00"},
      {R"("int")", "-64", "7f"},
      {R"("int")", "64", "8001"},
      {R"("int")", "2147483647", "feffffff0f"},
      {R"("int")", "3.0", "06", "3"},
      {R"("long")", "9223372036854775807", "feffffffffffffffff01"},
      {R"("long")", "-9223372036854775808", "ffffffffffffffffff01"},
      {R"("float")", "1.5", "0000c03f"},
      {R"("float")", "3", "00004040", "3.0"},
      {R"("float")", "0.1", "cdcccc3d"},
      {R"("float")", "3.4028235e+38", "ffff7f7f"},
      {R"("double")", "1.5", "000000000000f83f"},
      {R"("double")", "-0.0", "0000000000000080"},
      {R"("double")", "1e+300", "9c7500883ce4377e"},
      {R"("double")", R"("NaN")", "000000000000f87f"},
      {R"("double")", R"("-Infinity")", "000000000000f0ff"},
      {R"("float")", R"("Infinity")", "0000807f"},
      {R"("string")", R"("foo")", "06666f6f"},
      {R"("string")", R"("\u00e4\n")", "06c3a40a", R"("ä\n")"},
      {R"("bytes")", R"("\u00ff\u0000a")", "06ff0061", R"("ÿ\u0000a")"},
      {R"({"type":"bytes","logicalType":"decimal","precision":4})", R"("\u0001\u0002")", "040102"},
      {R"({"type":"fixed","name":"F","size":2})", R"("a\u0080")", "6180", "\"a\u0080\""},
      {R"({"type":"enum","name":"E","symbols":["A","B"]})", R"("B")", "02"},
      {R"({"type":"array","items":"long"})", "[3,27]", "04063600"},
      {R"({"type":"array","items":"long"})", "[]", "00"},
      {R"({"type":"map","values":"int"})", R"({"a":1,"b":2})", "0402610202620400"},
      {R"({"type":"map","values":"int"})", "{}", "00"},
      {R"(["null","string"])", "null", "00"},
      {R"(["null","string"])", R"({"string":"a"})", "020261"},
      {R"(["null","string"])", R"("a")", "020261", R"({"string":"a"})"},
      {R"(["null",{"type":"map","values":"int"}])", R"({"map":{"string":1}})", "02020c737472696e670200"},
      {R"(["null",{"type":"map","values":"int"}])", R"({"string":1})", "02020c737472696e670200",
       R"({"map":{"string":1}})"},
      {R"(["int","long"])", "3000000000", "0280f882ad16", R"({"long":3000000000})"},
      {R"(["int",{"type":"fixed","name":"n.F","size":1}])", R"({"n.F":"x"})", "0278"},
      {kBook, R"({"title":"x","price":1.0,"tags":{"array":["y"]}})", "0278000000000000f03f0202027900"},
      {kBook, R"({"tags":["y"],"title":"x"})", "0278000000000000f03f0202027900",
       R"({"title":"x","price":1.0,"tags":{"array":["y"]}})"},
      {kBook, R"({"title":"x"})", "0278000000000000f03f00", R"({"title":"x","price":1.0,"tags":null})"},
      {kList, R"({"v":1,"next":{"L":{"v":2,"next":null}}})", "02020400"},
      {kList, R"({"v":1,"next":{"v":2,"next":null}})", "02020400", R"({"v":1,"next":{"L":{"v":2,"next":null}}})"},
      {R"({"type":"record","name":"R","fields":[]})", "{}", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.schema);
    CAPTURE(row.json);
    const auto schema = parsed(row.schema);
    const auto bytes = schema->encode(row.json);
    REQUIRE_MESSAGE(bytes, bytes.error().what);
    CHECK(hex(*bytes) == row.bytes);
    CHECK(schema->decode(*bytes) == std::string(row.printed.empty() ? row.json : row.printed));
  }
}

TEST_CASE("avro codec: JSON that does not match, and where") {
  struct Row {
    std::string_view schema, json, refusal;
  };
  const Row rows[] = {
      {R"("null")", "0", "0 is not of type null"},
      {R"("boolean")", "\"true\"", "'true' is not of type boolean"},
      {R"("int")", "2147483648", "2147483648 is not of type int"},
      {R"("int")", "-2147483649", "-2147483649 is not of type int"},
      {R"("int")", "1.5", "1.5 is not of type int"},
      {R"("long")", "9223372036854775808", "9223372036854775808 is not of type long"},
      {R"("long")", "1e19", "1e+19 is not of type long"},
      {R"("long")", "\"7\"", "'7' is not of type long"},
      {R"("float")", "16777217", "16777217 is not of type float"},
      {R"("float")", "3.5e38", "3.5e+38 is not of type float"},
      {R"("double")", "9007199254740993", "9007199254740993 is not of type double"},
      {R"("double")", "\"nan\"", "'nan' is not of type double"},
      {R"("string")", "[1]", "an array is not of type string"},
      {R"("string")", "{}", "an object is not of type string"},
      {R"("bytes")", R"("€")", "'€' is not of type bytes: its characters are bytes, up to \\u00ff"},
      {R"("int")", R"("äääääääääääääääääääääääääääääääää")", "'ääääääääääääääääääää...' is not of type int"},
      {R"({"type":"fixed","name":"F","size":2})", R"("a")", "1 bytes instead of 2"},
      {R"({"type":"enum","name":"n.E","symbols":["A"]})", R"("B")", "'B' is not a symbol of n.E"},
      {R"({"type":"array","items":"long"})", "[1,2,\"x\"]", "/2: 'x' is not of type long"},
      {R"({"type":"map","values":"int"})", R"({"a":1,"b":[]})", "/b: an array is not of type int"},
      {R"(["null","int"])", R"("x")", "'x' is not of type null or int"},
      {R"(["null","int"])", R"({"int":"x"})", "/int: 'x' is not of type int"},
      {R"(["null","int"])", R"({"string":"x"})", "an object is not of type null or int"},
      {R"(["int","long"])", "5", R"(5 may be int or long: say which, as in {"int": ...})"},
      {R"(["string","bytes"])", "\"a\"", R"('a' may be string or bytes: say which, as in {"string": ...})"},
      {kBook, R"({"title":"x","price":"abc"})", "/price: 'abc' is not of type double"},
      {kBook, R"({"price":1})", "/title: missing, and the field has no default"},
      {kBook, R"({"title":"x","prize":1})", "/prize: no such field"},
      {kBook, R"({"title":"x","tags":{"array":["a",7]}})", "/tags/array/1: 7 is not of type string"},
      {kBook, R"({"title":"x","tags":["a",7]})", "/tags/1: 7 is not of type string"},
      {kBook, "[]", "an array is not of type record n.B"},
      {"[]", "null", "null is not of type "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.schema);
    CAPTURE(row.json);
    const auto bytes = parsed(row.schema)->encode(row.json);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == Errc::invalid_argument);
    CHECK(bytes.error().what == row.refusal);
  }
  CHECK(parsed("\"string\"")->encode("\"\xff\"").error().code == Errc::invalid_argument);
  CHECK(parsed("\"string\"")->encode("\"a\" 1").error().code == Errc::invalid_argument);
}

TEST_CASE("avro codec: bytes that are no value, and where") {
  struct Row {
    std::string schema, bytes, refusal;
  };
  const std::string array = R"({"type":"array","items":"int"})", nulls = R"({"type":"array","items":"null"})";
  const Row rows[] = {
      {R"("null")", "x", "1 bytes follow the value"},
      {R"("boolean")", "\2", "a byte that is not a boolean"},
      {R"("boolean")", "", "1 bytes are to follow, 0 do"},
      {R"("int")", "\x80", "the bytes end within a number, or it is too large"},
      {R"("int")", "\x80\x80\x80\x80\x10", "2147483648 is not an int"},
      {R"("long")", std::string(10, '\xff'), "the bytes end within a number, or it is too large"},
      {R"("float")", "abc", "4 bytes are to follow, 3 do"},
      {R"("string")", "\4a", "2 bytes are to follow, 1 do"},
      {R"("string")", "\1", "a length of -1"},
      {R"("string")", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "9223372036854775807 bytes are to follow, 0 do"},
      {R"("string")", "\2\xff", "a string that is not UTF-8"},
      {R"("bytes")", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length of -9223372036854775808"},
      {R"({"type":"fixed","name":"F","size":2147483647})", "a", "2147483647 bytes are to follow, 1 do"},
      {R"({"type":"enum","name":"E","symbols":["A"]})", "\2", "number 1 of 1 symbols"},
      {R"({"type":"enum","name":"E","symbols":["A"]})", "\1", "number -1 of 1 symbols"},
      {R"(["null","int"])", "\4", "number 2 of 2 branches"},
      {array, "\4\2\2", "the bytes end within a number, or it is too large"},
      {array, "\4\2", "/1: the bytes end within a number, or it is too large"},
      {array, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0"s, "a block that is too large"},
      {array, "\1\6\2\0"s, "a block that is too large"},
      {array, "\1\4\2\0"s, "a block that is not as large as it says"},
      {array, "\1\1\2\0"s, "a block that is too large"},
      {R"({"type":"map","values":"int"})", "\4\2a\2\2a\2\0"s, "/a: there twice"},
      {R"({"type":"map","values":"int"})", "\2\2\xff\2\0"s, "a key that is not UTF-8"},
      {kBook, "\2x", "/price: 8 bytes are to follow, 0 do"},
      {kBook, "\2x12345678\2\2\6", "/tags/array/0: 3 bytes are to follow, 0 do"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.schema);
    CAPTURE(hex(row.bytes));
    const auto json = parsed(row.schema)->decode(row.bytes);
    REQUIRE_FALSE(json);
    CHECK(json.error().code == Errc::corrupt);
    CHECK(json.error().what == row.refusal);
  }
  // Some writers say how large a block is, or write several.
  CHECK(parsed(array)->decode("\3\4\2\4\2\6\0"s) == "[1,2,3]");
}

TEST_CASE("avro codec: a few bytes that claim to be very much") {
  const auto nulls = parsed(R"({"type":"array","items":"null"})")->decode("\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\0"s);
  CHECK(nulls.error().code == Errc::limit);
  const std::string endless = R"({"type":"record","name":"R","fields":[{"name":"r","type":"R"}]})";
  CHECK(parsed(endless)->decode("").error().code == Errc::limit);
  const auto list = parsed(kList)->decode(std::string(2'000'000, '\2'));
  CHECK(list.error().code == Errc::limit);
  CHECK(list.error().what.ends_with(": nested more than 100 levels deep"));
}

TEST_CASE("avro codec: what can be encoded is not too deep to be decoded") {
  const auto schema = parsed(kList);
  const auto nested = [&](int levels) {
    std::string json = "null";
    for (int i = 0; i < levels; ++i) json = R"({"v":0,"next":)" + json + "}";
    return schema->encode(json);
  };
  CHECK(nested(51).error().what.ends_with(": nested more than 100 levels deep"));
  const auto bytes = nested(50);
  REQUIRE(bytes);
  const auto json = schema->decode(*bytes);
  REQUIRE(json);
  CHECK(schema->encode(*json) == *bytes);
}

}  // namespace
}  // namespace pg
