#include "core/schema/schema.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/schema/bounded_json.h"
#include "core/schema/wire_format.h"

namespace pg {
namespace {

TEST_CASE("schema: types have Confluent's names, in either case") {
  CHECK(schema_type_name(SchemaType::protobuf) == "PROTOBUF");
  CHECK(parse_schema_type("json") == SchemaType::json);
  CHECK(parse_schema_type("Avro") == SchemaType::avro);
  CHECK_FALSE(parse_schema_type("xml"));
  CHECK_FALSE(parse_schema_type(""));
}

TEST_CASE("schema: the wire format is a zero byte, the id big-endian, the payload") {
  CHECK(to_wire(258, "ab") == std::string("\0\0\0\1\2ab", 7));
  const auto value = from_wire(std::string_view("\0\0\0\1\2ab", 7));
  REQUIRE(value);
  CHECK(value->schema_id == 258);
  CHECK(value->payload == "ab");
  CHECK(from_wire(std::string_view("\0\0\0\1\2", 5))->payload == "");
  CHECK_FALSE(from_wire(std::string_view("\0\0\0\1", 4)));
  CHECK_FALSE(from_wire("{\"a\":1}"));
}

TEST_CASE("bounded json: what is too deep is refused, whatever it is made of") {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_bounded_json(nested(kSchemaDepthMax)));
  CHECK(parse_bounded_json(nested(kSchemaDepthMax + 1)).error().what == "JSON nested more than 100 levels deep");
  CHECK_FALSE(parse_bounded_json(nested(200'000)));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += R"({"a":)";
  CHECK_FALSE(parse_bounded_json(objects));
}

TEST_CASE("bounded json: an error says where") {
  const auto json = parse_bounded_json("{\"a\":\n  tru}");
  REQUIRE_FALSE(json);
  CHECK(json.error().code == Errc::invalid_argument);
  CHECK(json.error().what.find("line 2, column 6") != std::string::npos);
  CHECK_FALSE(parse_bounded_json("1e999"));
  CHECK_FALSE(parse_bounded_json(""));
  CHECK_FALSE(parse_bounded_json("{} {}"));
}

TEST_CASE("bounded json: a NUL byte does not end a text") {
  using namespace std::string_view_literals;
  CHECK(parse_bounded_json("{}\0 {"sv).error().what == "a NUL byte follows the JSON, as byte 3");
  CHECK_FALSE(parse_bounded_json("1\0"sv));
  CHECK_FALSE(parse_bounded_json("[1,\0"sv));
  CHECK(parse_bounded_json(R"("\u0000")"));
}

TEST_CASE("bounded json: a member that is there twice has its last value, at its first place") {
  CHECK(to_one_line(*parse_bounded_json(R"({"a":1,"b":[{"a":2}],"a":{"c":3}})")) == R"({"a":{"c":3},"b":[{"a":2}]})");
  std::string many;
  for (int i = 0; i < 40; ++i) many += fmt::format(R"("m{}":{},)", i, i);
  const Json json = *parse_bounded_json("{" + many + many + R"("m30":-1})");
  CHECK(json.size() == 40);
  CHECK(json.begin().key() == "m0");
  CHECK(json.at("m39") == 39);
  CHECK(json.at("m30") == -1);
}

TEST_CASE("bounded json: members keep their order") {
  CHECK(to_one_line(*parse_bounded_json(" { \"b\" : 1, \"a\" : [ null , \"\\u00e4\" ] } ")) ==
        "{\"b\":1,\"a\":[null,\"ä\"]}");
}

}  // namespace
}  // namespace pg
