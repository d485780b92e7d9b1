// One row for each rule: what a schema looked like, what it looks like now, and why data of the old one cannot be read
// with the new one, and data of the new one with the old one. Empty: it can.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/schema/schema.h"

namespace pg {
namespace {

struct Row {
  const char* rule;
  const char* before;
  const char* after;
  const char* backward;  // the new schema reads old data
  const char* forward;   // the old schema reads new data
};

std::unique_ptr<Schema> schema(const std::string& text) {
  auto parsed = parse_schema(SchemaType::protobuf, text);
  REQUIRE_MESSAGE(parsed.has_value(), text << (parsed ? "" : parsed.error().what));
  return std::move(*parsed);
}

// "KIND path, KIND path"
std::string reasons(const Schema& reader, const Schema& writer) {
  std::string all;
  const auto found = reader.cannot_read(writer, CompatibilityPolicy::strict);
  for (const auto& each : *found) {
    CHECK_FALSE(each.message.empty());
    all += (all.empty() ? "" : ", ") + each.kind + " " + each.path;
  }
  return all;
}

void check(const Row& row, const std::string& head) {
  CAPTURE(row.rule);
  const auto before = schema(head + row.before), after = schema(head + row.after);
  CHECK(reasons(*after, *before) == row.backward);
  CHECK(reasons(*before, *after) == row.forward);
  CHECK(reasons(*before, *before) == "");
  CHECK(reasons(*after, *after) == "");
}

// clang-format off
const Row kProto3[] = {
  {"nothing", "message M { int32 a = 1; }", "message M { int32 a = 1; }", "", ""},
  {"package", "package a; message M {}", "package b; message M {}", "PACKAGE_CHANGED #/", "PACKAGE_CHANGED #/"},
  {"package added", "message M {}", "package b; message M {}", "PACKAGE_CHANGED #/", "PACKAGE_CHANGED #/"},
  {"package, types by their own names", "package a; message M { N n = 1; } message N {}", "package b; message M { N n = 1; } message N {}", "PACKAGE_CHANGED #/", "PACKAGE_CHANGED #/"},
  {"message added", "message M {}", "message M {} message N {}", "", "MESSAGE_REMOVED #/N"},
  {"message moved", "message M {} message N {}", "message N {} message M {}", "", ""},
  {"nested message added", "message M {}", "message M { message N {} }", "", "MESSAGE_REMOVED #/M/N"},
  {"nested twice", "message M { message N { message O {} } }", "message M { message N {} }", "MESSAGE_REMOVED #/M/N/O", ""},
  {"message renamed", "message M {}", "message N {}", "MESSAGE_REMOVED #/M", "MESSAGE_REMOVED #/N"},
  {"message moved into another", "message M {} message N {}", "message M { message N {} }", "MESSAGE_REMOVED #/N", "MESSAGE_REMOVED #/M/N"},
  {"enum added", "message M {}", "message M {} enum E { A = 0; }", "", ""},
  {"enum constants", "message M {} enum E { A = 0; B = 1; }", "message M {} enum E { A = 0; C = 1; D = 2; }", "", ""},
  {"enum constant removed", "message M { E e = 1; } enum E { A = 0; B = 1; }", "message M { E e = 1; } enum E { A = 0; }", "", ""},
  {"field added", "message M {}", "message M { int32 a = 1; }", "", ""},
  {"field renamed", "message M { int32 a = 1; }", "message M { int32 b = 1; }", "", ""},
  {"field numbered anew", "message M { int32 a = 1; }", "message M { int32 a = 2; }", "", ""},
  {"presence", "message M { int32 a = 1; }", "message M { optional int32 a = 1; }", "", ""},
  {"general numbers", "message M { int32 a = 1; uint32 b = 2; bool c = 3; E d = 4; } enum E { A = 0; }", "message M { int64 a = 1; uint64 b = 2; int32 c = 3; bool d = 4; } enum E { A = 0; }", "", ""},
  {"another enum", "message M { E a = 1; } enum E { A = 0; }", "message M { F a = 1; } enum E { A = 0; } enum F { B = 0; }", "", ""},
  {"signed numbers", "message M { sint32 a = 1; }", "message M { sint64 a = 1; }", "", ""},
  {"string and bytes", "message M { string a = 1; }", "message M { bytes a = 1; }", "", ""},
  {"fixed", "message M { fixed32 a = 1; fixed64 b = 2; }", "message M { sfixed32 a = 1; sfixed64 b = 2; }", "", ""},
  {"general to signed", "message M { int32 a = 1; }", "message M { sint32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"number to string", "message M { int64 a = 1; }", "message M { string a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"fixed32 to fixed64", "message M { fixed32 a = 1; }", "message M { fixed64 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"fixed32 to int32", "message M { fixed32 a = 1; }", "message M { int32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"float to double", "message M { float a = 1; }", "message M { double a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"float to fixed32", "message M { float a = 1; }", "message M { fixed32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"enum to string", "message M { E a = 1; } enum E { A = 0; }", "message M { string a = 1; } enum E { A = 0; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"in a nested message", "message M { message N { int32 a = 3; } }", "message M { message N { string a = 3; } }", "FIELD_SCALAR_KIND_CHANGED #/M/N/3", "FIELD_SCALAR_KIND_CHANGED #/M/N/3"},
  {"all of them", "message M { int32 a = 1; int32 b = 2; }", "message M { string a = 1; string b = 2; }", "FIELD_SCALAR_KIND_CHANGED #/M/1, FIELD_SCALAR_KIND_CHANGED #/M/2", "FIELD_SCALAR_KIND_CHANGED #/M/1, FIELD_SCALAR_KIND_CHANGED #/M/2"},
  {"repeated number", "message M { int32 a = 1; }", "message M { repeated int32 a = 1; }", "FIELD_NUMERIC_LABEL_CHANGED #/M/1", "FIELD_NUMERIC_LABEL_CHANGED #/M/1"},
  {"repeated float", "message M { double a = 1; }", "message M { repeated double a = 1; }", "FIELD_NUMERIC_LABEL_CHANGED #/M/1", "FIELD_NUMERIC_LABEL_CHANGED #/M/1"},
  {"repeated enum", "message M { E a = 1; } enum E { A = 0; }", "message M { repeated E a = 1; } enum E { A = 0; }", "FIELD_NUMERIC_LABEL_CHANGED #/M/1", "FIELD_NUMERIC_LABEL_CHANGED #/M/1"},
  {"repeated string", "message M { string a = 1; bytes b = 2; }", "message M { repeated string a = 1; repeated bytes b = 2; }", "", ""},
  {"repeated message", "message M { N a = 1; } message N {}", "message M { repeated N a = 1; } message N {}", "", ""},
  {"scalar to message", "message M { bytes a = 1; } message N {}", "message M { N a = 1; } message N {}", "FIELD_KIND_CHANGED #/M/1", "FIELD_KIND_CHANGED #/M/1"},
  {"message to another one", "message M { N a = 1; } message N {} message O {}", "message M { O a = 1; } message N {} message O {}", "FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_NAMED_TYPE_CHANGED #/M/1"},
  {"map", "message M { map<int32, int32> a = 1; }", "message M { map<int64, bool> a = 1; }", "", ""},
  {"key of a map", "message M { map<int32, int32> a = 1; }", "message M { map<string, int32> a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"value of a map", "message M { map<string, int32> a = 1; }", "message M { map<string, string> a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"message in a map", "message M { map<string, N> a = 1; } message N {}", "message M { map<string, int32> a = 1; } message N {}", "FIELD_KIND_CHANGED #/M/1", "FIELD_KIND_CHANGED #/M/1"},
  {"another message in a map", "message M { map<string, N> a = 1; } message N {} message O {}", "message M { map<string, O> a = 1; } message N {} message O {}", "FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_NAMED_TYPE_CHANGED #/M/1"},
  {"map added", "message M {}", "message M { map<string, int32> a = 1; }", "", ""},
  {"map to message", "message M { map<string, N> a = 1; } message N {}", "message M { repeated N a = 1; } message N {}", "FIELD_KIND_CHANGED #/M/1", "FIELD_KIND_CHANGED #/M/1"},
  {"map to bytes", "message M { map<string, int32> a = 1; }", "message M { repeated bytes a = 1; }", "FIELD_KIND_CHANGED #/M/1", "FIELD_KIND_CHANGED #/M/1"},
  {"recursive", "message M { M m = 1; N n = 2; } message N { repeated M m = 1; }", "message M { M m = 1; N n = 2; int32 a = 3; } message N { repeated M m = 1; }", "", ""},
  {"recursive, changed", "message M { M m = 1; int32 a = 2; }", "message M { M m = 1; string a = 2; }", "FIELD_SCALAR_KIND_CHANGED #/M/2", "FIELD_SCALAR_KIND_CHANGED #/M/2"},
  {"well-known type", "import 'google/protobuf/timestamp.proto'; message M { google.protobuf.Timestamp t = 1; }", "import 'google/protobuf/timestamp.proto'; message M { google.protobuf.Timestamp at = 1; }", "", ""},
  {"another well-known type", "import 'google/protobuf/wrappers.proto'; message M { google.protobuf.Int32Value v = 1; }", "import 'google/protobuf/wrappers.proto'; message M { google.protobuf.StringValue v = 1; }", "FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_NAMED_TYPE_CHANGED #/M/1"},
  {"a copy of a well-known type", "import 'google/protobuf/timestamp.proto'; message M { google.protobuf.Timestamp t = 1; }", "message M { Timestamp t = 1; } message Timestamp { int64 seconds = 1; int32 nanos = 2; }", "", "MESSAGE_REMOVED #/Timestamp"},
  {"a namesake of a well-known type", "import 'google/protobuf/timestamp.proto'; message M { google.protobuf.Timestamp t = 1; }", "message M { Timestamp t = 1; } message Timestamp { string seconds = 1; }", "FIELD_SCALAR_KIND_CHANGED #/Timestamp/1, FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/Timestamp/1, FIELD_NAMED_TYPE_CHANGED #/M/1, MESSAGE_REMOVED #/Timestamp"},
  {"a copy of recursive well-known types", "import 'google/protobuf/struct.proto'; message M { google.protobuf.ListValue l = 1; }", "message M { ListValue l = 1; } message ListValue { repeated Value values = 1; } message Value { ListValue list_value = 6; }", "", "MESSAGE_REMOVED #/ListValue, MESSAGE_REMOVED #/Value"},
  {"oneof added", "message M {}", "message M { oneof o { int32 a = 1; string b = 2; } }", "", ""},
  {"oneof renamed", "message M { oneof o { int32 a = 1; string b = 2; } }", "message M { oneof p { int32 a = 1; string b = 2; } }", "", ""},
  {"oneof renamed, and a member dropped", "message M { oneof o { int32 a = 1; string b = 2; } }", "message M { oneof p { int32 a = 1; } }", "ONEOF_FIELD_REMOVED #/M/o/2", ""},
  {"oneof split, and a member dropped", "message M { oneof o { int32 a = 1; string b = 2; bool c = 3; } }", "message M { oneof p { int32 a = 1; } oneof q { string b = 2; } }", "ONEOF_FIELD_REMOVED #/M/o/3", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o"},
  {"field added to a oneof", "message M { oneof o { int32 a = 1; } }", "message M { oneof o { int32 a = 1; string b = 2; } }", "", "ONEOF_FIELD_REMOVED #/M/o/2"},
  {"type in a oneof", "message M { oneof o { int32 a = 1; } }", "message M { oneof o { string a = 1; } }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"field to a new oneof", "message M { int32 a = 1; }", "message M { oneof o { int32 a = 1; string b = 2; } }", "", ""},
  {"fields to a new oneof", "message M { int32 a = 1; string b = 2; }", "message M { oneof o { int32 a = 1; string b = 2; } }", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o", ""},
  {"field to an old oneof", "message M { int32 a = 1; oneof o { string b = 2; } }", "message M { oneof o { int32 a = 1; string b = 2; } }", "FIELD_MOVED_TO_EXISTING_ONEOF #/M/o", ""},
  {"oneofs made one", "message M { oneof o { int32 a = 1; } oneof p { string b = 2; } }", "message M { oneof o { int32 a = 1; string b = 2; } }", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o", ""},
  {"field to a oneof, of another type", "message M { int32 a = 1; }", "message M { oneof o { string a = 1; } }", "FIELD_SCALAR_KIND_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/M/1"},
  {"optional fields are no oneof", "message M { optional int32 a = 1; optional int32 b = 2; }", "message M { int32 a = 1; optional int32 b = 2; optional int32 c = 3; }", "", ""},
};

const Row kProto2[] = {
  {"required field", "message M {}", "message M { required int32 a = 1; }", "REQUIRED_FIELD_ADDED #/M/1", "REQUIRED_FIELD_REMOVED #/M/1"},
  {"optional field", "message M {}", "message M { optional int32 a = 1; }", "", ""},
  {"optional made required", "message M { optional int32 a = 1; }", "message M { required int32 a = 1; }", "REQUIRED_FIELD_ADDED #/M/1", ""},
  {"required in a nested message", "message M { message N {} }", "message M { message N { required int32 a = 7; } }", "REQUIRED_FIELD_ADDED #/M/N/7", "REQUIRED_FIELD_REMOVED #/M/N/7"},
  {"required renamed", "message M { required int32 a = 1; }", "message M { required int32 b = 1; }", "", ""},
  {"default", "message M { optional int32 a = 1 [default = 3]; }", "message M { optional int32 a = 1 [default = 4]; }", "", ""},
  {"repeated number", "message M { optional int32 a = 1; }", "message M { repeated int32 a = 1; }", "FIELD_NUMERIC_LABEL_CHANGED #/M/1", "FIELD_NUMERIC_LABEL_CHANGED #/M/1"},
  {"packed", "message M { repeated int32 a = 1; }", "message M { repeated int32 a = 1 [packed = true]; }", "", ""},
  {"group", "message M { optional group G = 1 { optional int32 a = 2; } }", "message M { optional group G = 1 { optional int64 a = 2; optional int32 b = 3; } }", "", ""},
  {"in a group", "message M { optional group G = 1 { optional int32 a = 2; } }", "message M { optional group G = 1 { optional string a = 2; } }", "FIELD_SCALAR_KIND_CHANGED #/M/G/2", "FIELD_SCALAR_KIND_CHANGED #/M/G/2"},
  {"group to message", "message M { optional group G = 1 {} }", "message M { message G {} optional G g = 1; }", "FIELD_KIND_CHANGED #/M/1", "FIELD_KIND_CHANGED #/M/1"},
  {"group of another name", "message M { optional group G = 1 {} message H {} }", "message M { message G {} optional group H = 1 {} }", "FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_NAMED_TYPE_CHANGED #/M/1"},
};
// clang-format on

TEST_CASE("protobuf: every rule of compatibility, in both directions") {
  for (const Row& row : kProto3) check(row, "syntax = 'proto3'; ");
  for (const Row& row : kProto2) check(row, "syntax = 'proto2'; ");
}

TEST_CASE("protobuf: the two versions of the language are compared by their wire format") {
  const auto old_one = schema("syntax = 'proto2'; message M { optional int32 a = 1; repeated string b = 2; }");
  const auto new_one = schema("syntax = 'proto3'; message M { int32 a = 1; repeated string b = 2; }");
  CHECK(reasons(*new_one, *old_one) == "");
  CHECK(reasons(*old_one, *new_one) == "");
}

TEST_CASE("protobuf: an incompatibility says what changed, in the words of the schema") {
  const auto before = schema(
      "syntax = 'proto3'; package p; message M { map<string, N> a = 1; message N {} repeated E e = 2; enum E { A = 0; "
      "} }");
  const auto after =
      schema("syntax = 'proto3'; package p; message M { repeated bytes b = 1; message N {} string e = 2; }");
  const auto found = *after->cannot_read(*before, CompatibilityPolicy::strict);
  REQUIRE(found.size() == 2);
  CHECK(found[0].message == "field 'b' (1) changed from map<string, M.N> to repeated bytes");
  CHECK(found[1].message == "field 'e' (2) changed from repeated M.E to string");
}

}  // namespace
}  // namespace pg
