#include "core/schema/protobuf/field_kinds.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "core/base/result.h"

namespace pg {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

FieldKind field_kind(const FieldDescriptor& field) {
  if (field.is_map()) return FieldKind::map;
  if (field.type() == FieldDescriptor::TYPE_GROUP) return FieldKind::group;
  return field.type() == FieldDescriptor::TYPE_MESSAGE ? FieldKind::message : FieldKind::scalar;
}

ScalarKind scalar_kind(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_BOOL:
    case FieldDescriptor::TYPE_ENUM:
      return ScalarKind::general_number;
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      return ScalarKind::signed_number;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
      return ScalarKind::string_or_bytes;
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return ScalarKind::fixed32;
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return ScalarKind::fixed64;
    case FieldDescriptor::TYPE_FLOAT:
      return ScalarKind::float_number;
    case FieldDescriptor::TYPE_DOUBLE:
      return ScalarKind::double_number;
    case FieldDescriptor::TYPE_MESSAGE:
    case FieldDescriptor::TYPE_GROUP:
      break;
  }
  PG_ASSERT(!"a scalar");
  __builtin_unreachable();
}

namespace {

template <class Type>
std::string without_package(const Type& type) {
  const std::string& package = type.file()->package();
  return package.empty() ? type.full_name() : type.full_name().substr(package.size() + 1);
}

}  // namespace

std::string local_name(const Descriptor& type) { return without_package(type); }

std::string type_text(const FieldDescriptor& field) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return fmt::format("map<{}, {}>", type_text(*entry.map_key()), type_text(*entry.map_value()));
  }
  std::string text = field.is_repeated() ? "repeated " : "";
  if (field.type() == FieldDescriptor::TYPE_GROUP) text += "group ";
  if (const Descriptor* type = field.message_type()) return text + local_name(*type);
  return text + (field.enum_type() != nullptr ? without_package(*field.enum_type()) : field.type_name());
}

}  // namespace pg
