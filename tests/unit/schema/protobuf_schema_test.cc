// What is a Protobuf schema, what is refused and why, and the text that is stored.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/schema/schema.h"

namespace pg {
namespace {

std::string repeat(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string canonical(const std::string& text) {
  const auto schema = parse_schema(SchemaType::protobuf, text);
  REQUIRE_MESSAGE(schema.has_value(), (schema ? "" : schema.error().what));
  return (*schema)->canonical();
}

std::string refusal(const std::string& text) {
  const auto schema = parse_schema(SchemaType::protobuf, text);
  REQUIRE_FALSE_MESSAGE(schema.has_value(), text.substr(0, 200));
  CHECK(schema.error().code == Errc::invalid_argument);
  return schema.error().what;
}

constexpr const char* kOrder = R"(// An order
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
enum Kind { option allow_alias = true; PLAIN = 0; ALSO = 0; }
/* of things */ message Order {
  string id = 1; // unique
  optional int32 count = 2 [deprecated = true];
  map<string, Item> items = 3;
  oneof payment { string card = 4; bytes cash = 5; }
  google.protobuf.Timestamp at = 6;
  Kind kind = 7;
  message Item { double price = 1; Order parent = 2; reserved 3, 5 to 9; reserved "foo"; }
}
service Shop { rpc Get(Order) returns (stream Order) {} }
)";

TEST_CASE("protobuf: the stored text has no comments, names in full, and messages before enums") {
  CHECK(canonical(kOrder) == R"(syntax = "proto3";

import "google/protobuf/timestamp.proto";
package shop.v1;

message Order {
  string id = 1;
  optional int32 count = 2 [deprecated = true];
  map<string, .shop.v1.Order.Item> items = 3;
  message Item {
    double price = 1;
    .shop.v1.Order parent = 2;
    reserved 3, 5 to 9;
    reserved "foo";
  }
  oneof payment {
    string card = 4;
    bytes cash = 5;
  }
  .google.protobuf.Timestamp at = 6;
  .shop.v1.Kind kind = 7;
}

service Shop {
  rpc Get(.shop.v1.Order) returns (stream .shop.v1.Order);
}

enum Kind {
  option allow_alias = true;
  PLAIN = 0;
  ALSO = 0;
}
)");
}

TEST_CASE("protobuf: the stored text is read as itself") {
  const char* const texts[] = {
      kOrder,
      "message M {}",
      "syntax = 'proto2'; message M { optional string s = 1 [default = \"a\\\"\\n\\377'\"]; optional double d = 2 "
      "[default = -inf]; }",
      "syntax = 'proto2'; message M { optional group G = 1 { repeated int32 a = 2 [packed = true]; } extensions 100 to "
      "max; }",
      "syntax = 'proto2'; message M { extensions 5; } extend M { optional int32 e = 5; }",
      "syntax = 'proto3'; message M { int32 a_b = 1 [json_name = \"x\"]; enum E { A = 0; reserved 2 to max; } }",
      "import 'google/protobuf/descriptor.proto'; extend google.protobuf.FieldOptions { optional string of = 50000; "
      "optional M "
      "om = 50001; } message M { optional string s = 1 [(of) = 'enum E {\\n}']; optional int32 i = 2 [(om) = { s: 'x' "
      "i: 3 }]; }",
      "message M { map<int32, N> a = 1; message N { map<int32, int32> x = 1; message O {} message P {} } message Q {} "
      "map<int32, N> b = 2; message R {} }",
      "message M { optional group G = 1 { optional int32 a = 1; } message N {} optional int32 c = 2; "
      "message Q {} }",
      "message M { message N {} } message O { optional string s = 1 [default = 'message N {}\\n']; } message N {}",
      "option java_package = 'a.b'; option optimize_for = SPEED; enum Before { A = 0; } enum More { B = 1; } message M "
      "{}",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    const std::string once = canonical(text);
    CHECK(once.starts_with("syntax = \"proto"));  // not as it was given
    CHECK(canonical(once) == once);
  }
}

TEST_CASE("protobuf: what cannot be printed so that it says the same is stored as it was given") {
  const std::string text = "message M { oneof o { group G = 1 {} } message N {} }";
  CHECK(canonical(text) == text);
}

TEST_CASE("protobuf: messages keep their order, that of maps and groups among them") {
  CHECK(canonical("message M { map<int32, N> a = 1; message N {} message O {} optional int32 b = 2; }") ==
        "syntax = \"proto2\";\n\nmessage M {\n  map<int32, .M.N> a = 1;\n  message N {\n  }\n  message O {\n  }\n"
        "  optional int32 b = 2;\n}\n");
  CHECK(canonical("message M { optional int32 b = 2; message N {} map<int32, N> a = 1; message O {} }") ==
        "syntax = \"proto2\";\n\nmessage M {\n  message N {\n  }\n  optional int32 b = 2;\n"
        "  map<int32, .M.N> a = 1;\n  message O {\n  }\n}\n");
}

TEST_CASE("protobuf: however it is written, the same schema is stored as the same text") {
  CHECK(canonical("syntax='proto3';message M{N n=1;}message N{}") ==
        canonical("// x\nsyntax = \"proto3\";\n\nmessage M { /* y */ N n = 0x1; }\nmessage N { ; }\n"));
  CHECK(canonical("syntax = 'proto3'; package a.b; message M { a.b.M m = 1; }") ==
        canonical("syntax = 'proto3'; package a.b; message M { .a.b.M m = 1; }"));
  CHECK(canonical("message M {}") == canonical("syntax = 'proto2'; message M {}"));
  CHECK(canonical("message M {} message N {}") != canonical("message N {} message M {}"));
}

TEST_CASE("protobuf: what is no schema is refused with its place") {
  CHECK(refusal("syntax = 'proto3';\nmessage M {\n  int32 a 1;\n}") ==
        "cannot read the Protobuf schema: line 3, column 11: Missing field number");
  CHECK(refusal("syntax = 'proto3';\nmessage M { N n = 1; }") ==
        "cannot read the Protobuf schema: line 2, column 13: M.n: \"N\" is not defined");
  CHECK(refusal("syntax = 'proto3'; message M { int32 a = 1;\n int32 b = 1; }").find("line 2, column 12: M.b: ") !=
        std::string::npos);
  CHECK(refusal("syntax = 'proto4'; message M {}").find("line 1, column 10: Unrecognized syntax") != std::string::npos);
  CHECK(refusal("").find("without a message") != std::string::npos);
  CHECK(refusal("{\"type\":\"string\"}").find("line 1, column 1: ") != std::string::npos);
  CHECK(refusal("message M {").find("line 1, column 12: ") != std::string::npos);
  CHECK(refusal("message M { /* ").find("line 1, column ") != std::string::npos);
  CHECK(refusal(std::string("message M {}\0", 13)).find("line 1, column 13: ") != std::string::npos);
}

TEST_CASE("protobuf: a schema has a message") {
  CHECK(refusal("syntax = 'proto3'; enum E { A = 0; }") == "a Protobuf schema without a message");
}

TEST_CASE("protobuf: well-known types can be imported, and nothing else") {
  for (const char* name : {"any", "api", "descriptor", "duration", "empty", "field_mask", "source_context", "struct",
                           "timestamp", "type", "wrappers"}) {
    canonical(fmt::format("syntax = 'proto3'; import 'google/protobuf/{}.proto'; message M {{}}", name));
  }
  const std::string other =
      "cannot import \"other.proto\" into a Protobuf schema: references to other schemas are not supported";
  CHECK(refusal("import 'other.proto'; message M {}") == other);
  CHECK(refusal("import 'schema.proto'; message M {}").find("references to other schemas") != std::string::npos);
  CHECK(refusal("message M { optional google.protobuf.Timestamp t = 1; }")
            .find("\"google.protobuf.Timestamp\" seems to be defined in") != std::string::npos);
  CHECK(refusal("package google.protobuf; message Timestamp {}").find("that of the well-known types") !=
        std::string::npos);
}

TEST_CASE("protobuf: nesting is bounded, whatever is nested") {
  const auto nested = [](size_t depth) { return repeat("message M {", depth) + repeat("}", depth); };
  const std::string deep = "a Protobuf schema nested more than 100 levels deep";
  canonical(nested(31));
  CHECK(refusal(nested(32)).find("maximum recursion limit") != std::string::npos);  // the library's
  CHECK(refusal(nested(kSchemaDepthMax + 1)) == deep);
  CHECK(refusal(nested(80'000)) == deep);
  CHECK(refusal(repeat("message M {", 90'000)) == deep);
  CHECK(refusal("message M { option (a) = " + repeat("{ a: ", 100'000) + "}") == deep);
  CHECK(refusal("message M { option (a) = { a " + repeat("<a", 100'000) + "}") == deep);
  CHECK(refusal("message M { option (a) = { a: " + repeat("[", 100'000) + "}") == deep);
  CHECK(refusal("message M {" + repeat("optional group G = 1 {", 40'000)) == deep);
  canonical("message M { /* " + repeat("{", 1000) + " */ optional string s = 1 [default = '" + repeat("{", 1000) +
            "']; }");
  const std::string parts = "a Protobuf schema with a name of more than 100 parts";
  CHECK(refusal("message M { optional " + repeat(".a", 400'000) + " a = 1; }") == parts);
  CHECK(refusal("message M { extend " + repeat(".a", 101) + " { optional int32 a = 1; } }") == parts);
  CHECK(refusal("message M { } service S { rpc F(M) returns (" + repeat(".a", 101) + "); }") == parts);
  CHECK(refusal("package " + repeat("a.", 400'000) + "a; message M { optional N n = 1; }") == parts);
  canonical("package " + repeat("a.", 100) + "a; message M { }");
}

TEST_CASE("protobuf: what the library compares with each other is bounded") {
  std::string ranges, fields;
  for (int i = 1; i < 60'000; ++i) ranges += fmt::format("reserved {};", 2 * i);
  for (int i = 1; i < 15'000; ++i) fields += fmt::format("optional M f{0} = {0};", i);
  CHECK(refusal("message M {" + ranges + "}").find("59999 ranges of numbers") != std::string::npos);
  CHECK(refusal("message N { message M {" + ranges + "} }").find("59999 ranges of numbers") != std::string::npos);
  CHECK(refusal("message M { enum E { A = 1; " + ranges + "} }").find("59999 ranges of numbers") != std::string::npos);
  canonical("message M {" + fields + "}");
  std::string messages;
  for (int i = 0; i < 30'000; ++i) messages += fmt::format("message M{} {{}}", i);
  canonical(messages);
}

TEST_CASE("protobuf: a serialized file in base64 is a schema, too") {
  // name: "x.proto", message_type { name: "M" field { name: "a" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 } },
  // proto3
  std::string bytes;
  bytes += std::string("\x0a\x07") + "x.proto";
  const std::string field = std::string("\x0a\x01") + "a" + "\x18\x01\x20\x01\x28\x05";
  const std::string message = std::string("\x0a\x01") + "M" + "\x12" + static_cast<char>(field.size()) + field;
  bytes += std::string("\x22") + static_cast<char>(message.size()) + message;
  bytes += std::string("\x62\x06") + "proto3";
  CHECK(canonical(base64(bytes)) == canonical("syntax = 'proto3'; message M { int32 a = 1; }"));
  CHECK(refusal(base64(bytes.substr(0, 20))) != "");
  CHECK(refusal("AAAA") != "");
}

}  // namespace
}  // namespace pg
