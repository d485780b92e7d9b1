// JSON to Protobuf's bytes and back, and bytes that are none.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/schema/schema.h"

namespace pg {
namespace {

std::string repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

std::unique_ptr<Schema> schema(std::string_view text) {
  auto parsed = parse_schema(SchemaType::protobuf, text);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().what));
  return std::move(*parsed);
}

constexpr std::string_view kOrder = R"(
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/any.proto";
import "google/protobuf/struct.proto";
message Order {
  string id = 1;
  int64 order_count = 2;
  optional int32 maybe = 3;
  map<string, Item> items = 4;
  oneof payment { string card = 5; bytes cash = 6; }
  google.protobuf.Timestamp at = 7;
  Kind kind = 8;
  repeated int32 numbers = 9;
  double price = 10;
  Order next = 11;
  google.protobuf.Any any = 12;
  google.protobuf.Struct free = 13;
  repeated Order others = 15;
  message Item { bool sold = 1; message Deep { int32 a = 1; } }
  map<string, Order> children = 14;
}
enum Kind { PLAIN = 0; FANCY = 1; }
message Other { string s = 1; }
)";

std::string encoded(const Schema& with, std::string_view json) {
  const auto payload = with.encode(json);
  REQUIRE_MESSAGE(payload.has_value(), (payload ? "" : payload.error().what));
  return *payload;
}

std::string decoded(const Schema& with, std::string_view payload) {
  const auto json = with.decode(payload);
  REQUIRE_MESSAGE(json.has_value(), (json ? "" : json.error().what));
  return *json;
}

std::string refused(const Schema& with, std::string_view json) {
  const auto payload = with.encode(json);
  REQUIRE_FALSE_MESSAGE(payload.has_value(), json);
  CHECK(payload.error().code == Errc::invalid_argument);
  return payload.error().what;
}

bool is_corrupt(const Schema& with, std::string_view payload) {
  const auto json = with.decode(payload);
  return !json && json.error().code == Errc::corrupt && !json.error().what.empty();
}

TEST_CASE("protobuf: a value is a zero byte and the first message") {
  const auto order = schema(kOrder);
  CHECK(hex(encoded(*order, "{}")) == "00");
  CHECK(hex(encoded(*order, R"({"id":"x","orderCount":"5"})")) == "000a01781005");
  CHECK(encoded(*order, R"({"order_count":5})") == encoded(*order, R"({"orderCount":"5"})"));
}

TEST_CASE("protobuf: what was encoded is decoded, with the defaults of fields that have a value always") {
  const auto order = schema(kOrder);
  const std::string json =
      R"({"id":"ä\n","orderCount":"-9007199254740993","items":{"a":{"sold":true}},"kind":"FANCY","numbers":[1,-1],)"
      R"("price":1.5,"any":{"@type":"type.googleapis.com/shop.Other","s":"y"},"free":{"a":[1,null,"z"]},"others":[],)"
      R"("children":{},"maybe":0,"cash":"AP8=","at":"2026-11-23T05:28:20.500Z"})";
  CHECK(decoded(*order, encoded(*order, json)) == json);
  CHECK(decoded(*order, encoded(*order, "{}")) ==
        R"({"id":"","orderCount":"0","items":{},"kind":"PLAIN","numbers":[],"price":0,"others":[],"children":{}})");
  CHECK(decoded(*order, encoded(*order, R"({"next":{"next":{}},"price":"NaN"})")).find("\"price\":\"NaN\"") !=
        std::string::npos);
}

TEST_CASE("protobuf: JSON that is not such a message is refused, with the field and the reason") {
  const auto order = schema(kOrder);
  CHECK(refused(*order, R"({"orderCount":"abc"})") ==
        "not a 'shop.Order': (order_count): invalid value \"abc\" for type TYPE_INT64");
  CHECK(refused(*order, R"({"nope":1})") == "not a 'shop.Order': nope: Cannot find field");
  CHECK(refused(*order, R"({"items":{"a":{"sold":3}}})")
            .find("(items[0].value.sold): invalid value 3 for type TYPE_BOOL") != std::string::npos);
  CHECK(refused(*order, R"({"items":{"a":{"nope":3}}})").find("(items[0].value) nope: Cannot find field") !=
        std::string::npos);
  CHECK(refused(*order, R"({"maybe":99999999999})").find("(maybe): invalid value 99999999999") != std::string::npos);
  CHECK(refused(*order, R"({"kind":"GONE"})").find("(kind): invalid value \"GONE\"") != std::string::npos);
  CHECK(refused(*order, R"({"at":"today"})").find("Invalid time format: today") != std::string::npos);
  CHECK(refused(*order, R"({"card":"a","cash":"AA=="})").find("oneof field 'payment' is already set") !=
        std::string::npos);
  CHECK(refused(*order, R"({"any":{"@type":"type.googleapis.com/shop.Gone"}})").find("shop.Gone") != std::string::npos);
  CHECK(refused(*order, "[]").find("Root element must be a message") != std::string::npos);
  CHECK(refused(*order, "null") != "");
  CHECK(refused(*order, "") != "");
  CHECK(refused(*order, R"({"id":"a"} {})").find("parse error at line 1, column 12") != std::string::npos);
  CHECK(refused(*order, "{id:'a',}").find("parse error at line 1, column 2") != std::string::npos);
}

TEST_CASE("protobuf: what is nested deep is refused when it is encoded, and whatever is encoded is decoded") {
  struct Shape {
    const char *before, *open, *inside, *close, *after;
  };
  const Shape shapes[] = {
      {"", R"({"next":)", "{}", "}", ""},
      {R"({"free":)", R"({"a":)", "{}", "}", "}"},
      {R"({"free":{"a":)", "[", "1", "]", "}}"},
      {"", R"({"children":{"a":)", "{}", "}}", ""},
      {"", R"({"others":[)", "{}", "]}", ""},
      {R"({"any":)", R"({"@type":"type.googleapis.com/shop.Order","any":)",
       R"({"@type":"type.googleapis.com/shop.Order"})", "}", "}"},
      {R"({"any":)", R"({"@type":"type.googleapis.com/google.protobuf.Any","value":)",
       R"({"@type":"type.googleapis.com/shop.Other"})", "}", "}"},
  };
  const auto order = schema(kOrder);
  for (const Shape& shape : shapes) {
    CAPTURE(shape.open);
    int deepest = 0;
    for (int depth = 1; depth < 110; ++depth) {
      CAPTURE(depth);
      const auto payload = order->encode(shape.before + repeat(shape.open, depth) + shape.inside +
                                         repeat(shape.close, depth) + shape.after);
      if (!payload) continue;
      deepest = depth;
      const auto json = order->decode(*payload);
      CHECK_MESSAGE(json.has_value(), (json ? "" : json.error().what));
    }
    CHECK(deepest >= 5);
    CHECK(deepest < 100);
    CHECK(refused(*order, shape.before + repeat(shape.open, 50'000)) != "");
  }
}

TEST_CASE("protobuf: required fields are required, on the way in and on the way out") {
  const auto old_one = schema(
      "syntax = 'proto2'; message M { required int32 a = 1; optional N n = 2; message N { required string s = 1; } }");
  CHECK(refused(*old_one, "{}") == "not a 'M': missing field a");
  CHECK(refused(*old_one, R"({"a":1,"n":{}})") == "not a 'M': (n): missing field s");
  CHECK(decoded(*old_one, encoded(*old_one, R"({"a":1,"n":{"s":"x"}})")) == R"({"a":1,"n":{"s":"x"}})");
  CHECK(is_corrupt(*old_one, std::string_view("\0", 1)));
}

TEST_CASE("protobuf: the indexes in front say which message it is") {
  const auto order = schema(kOrder);
  const std::string payload = encoded(*order, R"({"id":"x"})");
  const std::string first = decoded(*order, payload);
  const auto with = [&](std::string_view indexes, std::string_view message) {
    return std::string(indexes) + std::string(message);
  };
  CHECK(decoded(*order, with({"\2\0", 2}, "\x0a\1x")) == first);                // [0]
  CHECK(decoded(*order, with({"\2\2", 2}, "\x0a\1y")) == R"({"s":"y"})");       // [1]
  CHECK(decoded(*order, with({"\4\0\2", 3}, "\x08\1")) == R"({"sold":true})");  // [0, 1]: a map's comes first
  CHECK(decoded(*order, with({"\6\0\2\0", 4}, "\x08\5")) == R"({"a":5})");      // [0, 1, 0]
  CHECK(is_corrupt(*order, with({"\2\4", 2}, "")));                             // [2]
  CHECK(is_corrupt(*order, with({"\4\2\0", 3}, "")));                           // [1, 0]
  CHECK(is_corrupt(*order, with({"\2\1", 2}, "")));                             // [-1]
  CHECK(is_corrupt(*order, with({"\4\0", 2}, "")));                             // ends
  CHECK(is_corrupt(*order, "\1"));                                              // -1 of them
  CHECK(is_corrupt(*order, with({"\2\2", 2}, "\x0a\5y")));
  const auto stored = schema(order->canonical());
  CHECK(decoded(*stored, with({"\6\0\2\0", 4}, "\x08\5")) == R"({"a":5})");
}

TEST_CASE("protobuf: a message without indexes in front, as kafkajs writes it, is the first one") {
  const auto order = schema(kOrder);
  CHECK(decoded(*order, "\x0a\1x") == decoded(*order, std::string_view("\0\x0a\1x", 4)));
  CHECK(decoded(*order, "") == decoded(*order, std::string_view("\0", 1)));
  CHECK(decoded(*order, "\x10\5").find("\"orderCount\":\"5\"") != std::string::npos);  // would be eight indexes
}

TEST_CASE("protobuf: bytes that are not such a message are corrupt") {
  const auto order = schema(kOrder);
  const auto payload = [](std::string_view message) { return std::string(1, '\0') + std::string(message); };
  CHECK(is_corrupt(*order, payload("\x0a\5x")));                            // ends early
  CHECK(is_corrupt(*order, payload("\x0a\1\xff")));                         // no UTF-8
  CHECK(is_corrupt(*order, payload("\x07")));                               // a wire type that does not exist
  CHECK(is_corrupt(*order, payload("\x0c")));                               // the end of a group that did not begin
  CHECK(is_corrupt(*order, payload("\x0a\1x\x0c\x0a\1x")));                 // and more after it
  CHECK(is_corrupt(*order, payload({"\0", 1})));                            // field 0
  CHECK(is_corrupt(*order, payload("\x62\x0d\x0a\x03x/y\x12\2\x0a\x00")));  // an Any of an unknown type
  CHECK(is_corrupt(*order, payload("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")));
  CHECK(decoded(*order, payload("\xa2\x06\1x")).find("\"id\"") != std::string::npos);  // field 100: of a newer schema
}

TEST_CASE("protobuf: messages nested without end in the bytes are corrupt") {
  const auto order = schema(kOrder);
  std::string message;
  for (int depth = 0; depth < 100'000 && message.size() < (1 << 20); ++depth) {
    std::string length;
    for (size_t left = message.size();; left >>= 7) {
      length += static_cast<char>(left < 128 ? left : (left & 127) | 128);
      if (left < 128) break;
    }
    message = "\x5a" + length + message;  // field 11
    if (depth == 20) CHECK(order->decode(message));
    if (depth == 200) CHECK(is_corrupt(*order, message));
    if (depth > 5000) break;
  }
  CHECK(is_corrupt(*order, message));
  CHECK(is_corrupt(*order, std::string(1, '\0') + std::string(100'000, '\x63')));  // groups that begin
}

TEST_CASE("protobuf: an Any nested without end in the bytes is corrupt") {
  const auto order = schema(kOrder);
  const auto sized = [](char tag, const std::string& bytes) {
    std::string length;
    for (size_t left = bytes.size(); left > 127 || length.empty() || static_cast<unsigned char>(length.back()) > 127;
         left >>= 7) {
      length += static_cast<char>(left > 127 ? (left & 127) | 128 : left);
    }
    return tag + length + bytes;
  };
  std::string any = sized(10, "type.googleapis.com/shop.Other");
  for (int depth = 0; depth < 10000; ++depth) {
    any = sized(10, "type.googleapis.com/google.protobuf.Any") + sized(18, any);
    if (depth == 5) CHECK(order->decode(sized(98, any)));  // field 12
  }
  CHECK(is_corrupt(*order, sized(98, any)));
}

TEST_CASE("protobuf: bytes changed at random are corrupt or another message, and no other bytes are read") {
  const auto order = schema(kOrder);
  const std::string payload = encoded(
      *order,
      R"({"id":"abc","items":{"a":{"sold":true}},"at":"2026-11-23T05:28:20Z","free":{"a":[1]},"numbers":[1,2]})");
  for (size_t at = 0; at < payload.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = payload;
      changed[at] = static_cast<char>(value);
      const auto json = order->decode(changed);
      CHECK((json || json.error().code == Errc::corrupt));
    }
    static_cast<void>(order->decode(payload.substr(0, at)));
  }
}

TEST_CASE("protobuf: strings of the old version that are no UTF-8 are printed as JSON all the same") {
  const auto old_one = schema("syntax = 'proto2'; message M { optional string s = 1; }");
  const std::string json = decoded(*old_one, std::string_view("\0\x0a\2\xff"
                                                              "a",
                                                              5));
  CHECK(is_utf8(json));
}

// Bytes of its first message, given in hex, with the zero that says so.
std::string first_message(std::string_view digits) {
  std::string bytes("\0", 1);
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

TEST_CASE("protobuf: a group is an object of its own, wherever it stands") {
  const auto flat = schema(
      "syntax = \"proto2\"; message M { optional int32 a = 1; optional group G = 2 { optional int32 a = 1; } optional "
      "int32 b = 3; }");
  CHECK(decoded(*flat, first_message("0801130805141807")) == R"({"a":1,"g":{"a":5},"b":7})");
  CHECK(hex(encoded(*flat, R"({"a":1,"g":{"a":5},"b":7})")) == "000801130805141807");
  CHECK(decoded(*flat, first_message("1314")) == R"({"a":0,"g":{"a":0},"b":0})");
  CHECK(decoded(*flat, first_message("120208051807")) == R"({"a":0,"b":7})");  // a length is no group
  CHECK(is_corrupt(*flat, first_message("08011308051807")));                   // without an end

  const auto deep = schema(R"(syntax = "proto2";
    message M {
      repeated group R = 1 { optional group In = 1 { repeated int32 n = 1; } optional M m = 2; }
      oneof o { group Choice = 3 { optional string s = 1; } string t = 4; }
      map<string, M> by_name = 5;
      extensions 100 to 200;
    }
    extend M { optional group Ext = 100 { optional int32 a = 1; } })");
  for (
      const std::string_view json :
      {R"({"r":[{"in":{"n":[1,2]}},{"m":{"r":[{"in":{"n":[3]}}],"choice":{"s":"x"},"byName":{}}}],"byName":{},"t":"y"})",
       R"({"r":[],"byName":{"k":{"r":[],"choice":{"s":"z"},"byName":{}}}})"}) {
    CHECK(decoded(*deep, encoded(*deep, json)) == json);
  }
  // Of an extension nothing is printed: its fields are not those of the message.
  CHECK(decoded(*deep, first_message("a3060805a4062201790b0b08070c0c")) ==
        R"({"r":[{"in":{"n":[7]}}],"byName":{},"t":"y"})");

  CHECK_FALSE(
      parse_schema(SchemaType::protobuf,
                   "syntax = \"proto2\"; import \"google/protobuf/any.proto\"; message M { optional group G = 1 {} }"));
}

TEST_CASE("protobuf: of fields that exclude each other, or come twice, the last one counts") {
  const auto message = schema(R"(syntax = "proto3"; import "google/protobuf/any.proto";
    message M { oneof o { string s = 1; bool f = 2; M m = 3; } int32 n = 4; M in = 5; map<string, int32> by = 6; google.protobuf.Any any = 7; })");
  const auto read = [&](std::string_view digits) { return decoded(*message, first_message(digits)); };
  CHECK(read("0a01611001") == R"({"n":0,"by":{},"f":true})");
  CHECK(read("10010a0161") == R"({"n":0,"by":{},"s":"a"})");
  CHECK(read("20012002") == R"({"n":2,"by":{}})");
  // Messages are made one, member by member.
  CHECK(read("2a0220012a021001") == R"({"n":0,"in":{"n":1,"by":{},"f":true},"by":{}})");
  CHECK(read("32050a01611001"
             "32050a01611002") == R"({"n":0,"by":{"a":2}})");
  const auto any = R"({"n":0,"by":{},"any":{"@type":"type.googleapis.com/M","n":0,"by":{},"f":true}})";
  CHECK(read("3a1e0a15747970652e676f6f676c65617069732e636f6d2f4d12050a01611001") == any);
  CHECK(decoded(*message, encoded(*message, read("0a01611001"))) == read("1001"));
}

}  // namespace
}  // namespace pg
