// What Protobuf's compatibility depends on: how a field's value looks on the wire.
#pragma once

#include <string>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace pg {

enum class FieldKind { scalar, message, group, map };

// Enums are scalars.
FieldKind field_kind(const google::protobuf::FieldDescriptor& field);

// Scalars of the same kind can be read as each other.
enum class ScalarKind { general_number, signed_number, string_or_bytes, fixed32, fixed64, float_number, double_number };

ScalarKind scalar_kind(const google::protobuf::FieldDescriptor& field);

// The name without the package of its file: "Order.Item".
std::string local_name(const google::protobuf::Descriptor& type);

// For people: "repeated int32", "map<string, Order.Item>".
std::string type_text(const google::protobuf::FieldDescriptor& field);

}  // namespace pg
