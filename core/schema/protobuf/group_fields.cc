#include "core/schema/protobuf/group_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

namespace pg {
namespace {

namespace proto = google::protobuf;
using Wire = proto::internal::WireFormatLite;

bool is_group(const proto::FieldDescriptor& field) { return field.type() == proto::FieldDescriptor::TYPE_GROUP; }

bool has_groups(const proto::Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (is_group(*type.field(i))) return true;
  }
  for (int i = 0; i < type.nested_type_count(); ++i) {
    if (has_groups(*type.nested_type(i))) return true;
  }
  return false;
}

template <class Fields>
void replace_groups(Fields* fields) {
  for (auto& field : *fields) {
    if (field.type() == proto::FieldDescriptorProto::TYPE_GROUP)
      field.set_type(proto::FieldDescriptorProto::TYPE_MESSAGE);
  }
}

void replace_groups(proto::DescriptorProto& message) {
  replace_groups(message.mutable_field());
  replace_groups(message.mutable_extension());
  for (auto& nested : *message.mutable_nested_type()) replace_groups(nested);
}

enum class To { messages, groups };

// Copies a message and what is in it. It recurses as deep as the message is nested: callers have bounded that.
class Copy {
 public:
  explicit Copy(To to) : to_(to) {}

  std::optional<std::string> message(const proto::Descriptor& type, std::string_view bytes) const {
    proto::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    return fields(type, in, 0);
  }

 private:
  // Up to `end_tag`; 0: to the end.
  std::optional<std::string> fields(const proto::Descriptor& type, proto::io::CodedInputStream& in,
                                    uint32_t end_tag) const {
    std::string bytes;
    proto::io::StringOutputStream stream(&bytes);
    proto::io::CodedOutputStream out(&stream);
    for (;;) {
      const uint32_t tag = in.ReadTag();
      if (tag == end_tag) break;
      if (tag == 0 || !field(type, tag, in, out)) return std::nullopt;
    }
    out.Trim();
    return bytes;
  }

  bool field(const proto::Descriptor& type, uint32_t tag, proto::io::CodedInputStream& in,
             proto::io::CodedOutputStream& out) const {
    const int number = Wire::GetTagFieldNumber(tag);
    const auto wire_type = Wire::GetTagWireType(tag);
    const proto::FieldDescriptor* known = type.FindFieldByNumber(number);
    // Leaves out an unknown group, and a group's number with a length, which is not a group.
    const bool is_left_out = wire_type == Wire::WIRETYPE_START_GROUP
                                 ? known == nullptr || !is_group(*known)
                                 : to_ == To::messages && known != nullptr && is_group(*known);
    if (is_left_out) return Wire::SkipField(&in, tag);
    const bool is_nested = known != nullptr && known->cpp_type() == proto::FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_nested || (wire_type != Wire::WIRETYPE_START_GROUP && wire_type != Wire::WIRETYPE_LENGTH_DELIMITED)) {
      return Wire::SkipField(&in, tag, &out);  // which copies it
    }
    const auto content = wire_type == Wire::WIRETYPE_START_GROUP
                             ? fields(*known->message_type(), in, Wire::MakeTag(number, Wire::WIRETYPE_END_GROUP))
                             : delimited(*known->message_type(), in);
    if (content) write(*known, *content, out);
    return content.has_value();
  }

  std::optional<std::string> delimited(const proto::Descriptor& type, proto::io::CodedInputStream& in) const {
    uint32_t length = 0;
    std::string bytes;
    if (!in.ReadVarint32(&length) || length > INT32_MAX || !in.ReadString(&bytes, static_cast<int>(length)))
      return std::nullopt;
    return message(type, bytes);
  }

  void write(const proto::FieldDescriptor& field, const std::string& content, proto::io::CodedOutputStream& out) const {
    const bool as_group = to_ == To::groups && is_group(field);
    out.WriteTag(
        Wire::MakeTag(field.number(), as_group ? Wire::WIRETYPE_START_GROUP : Wire::WIRETYPE_LENGTH_DELIMITED));
    if (!as_group) out.WriteVarint32(static_cast<uint32_t>(content.size()));
    out.WriteString(content);
    if (as_group) out.WriteTag(Wire::MakeTag(field.number(), Wire::WIRETYPE_END_GROUP));
  }

  const To to_;
};

}  // namespace

bool has_groups(const proto::FileDescriptor& file) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    if (has_groups(*file.message_type(i))) return true;
  }
  return false;
}

proto::FileDescriptorProto without_groups(const proto::FileDescriptor& file) {
  proto::FileDescriptorProto copy;
  file.CopyTo(&copy);
  replace_groups(copy.mutable_extension());
  for (auto& message : *copy.mutable_message_type()) replace_groups(message);
  return copy;
}

std::optional<std::string> groups_to_messages(const proto::Descriptor& type, std::string_view bytes) {
  return Copy(To::messages).message(type, bytes);
}

std::optional<std::string> messages_to_groups(const proto::Descriptor& type, std::string_view bytes) {
  return Copy(To::groups).message(type, bytes);
}

}  // namespace pg
