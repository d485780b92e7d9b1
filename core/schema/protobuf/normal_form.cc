#include "core/schema/protobuf/normal_form.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pg {
namespace {

namespace proto = google::protobuf;

// An Any of an unknown type, or with bytes that are not of its type, stays as it is: the library refuses to print it.
bool normalize_content(int levels, proto::Message& any, const proto::DescriptorPool& pool,
                       proto::MessageFactory& factory) {
  if (levels == 0) return false;
  const auto& reflection = *any.GetReflection();
  const auto* url_field = any.GetDescriptor()->FindFieldByNumber(1);
  const auto* value_field = any.GetDescriptor()->FindFieldByNumber(2);
  const std::string url = reflection.GetString(any, url_field);
  const proto::Descriptor* type = pool.FindMessageTypeByName(url.substr(url.rfind('/') + 1));
  if (type == nullptr) return true;
  const std::unique_ptr<proto::Message> content(factory.GetPrototype(type)->New());
  if (!content->ParsePartialFromString(reflection.GetString(any, value_field))) return true;
  if (!normalize(levels - 1, *content, pool, factory)) return false;
  reflection.SetString(&any, value_field, content->SerializePartialAsString());
  return true;
}

// Removes entries whose key comes again later.
void remove_former_entries(proto::Message& message, const proto::FieldDescriptor& map) {
  const auto& reflection = *message.GetReflection();
  const int count = reflection.FieldSize(message, &map);
  std::map<std::string, int> last;
  std::vector<std::string> keys(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    std::string& key = keys[static_cast<size_t>(i)];
    proto::TextFormat::PrintFieldValueToString(reflection.GetRepeatedMessage(message, &map, i),
                                               map.message_type()->map_key(), -1, &key);
    last[key] = i;
  }
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    if (last.at(keys[static_cast<size_t>(i)]) == i) reflection.SwapElements(&message, &map, kept++, i);
  }
  for (int i = kept; i < count; ++i) reflection.RemoveLast(&message, &map);
}

bool has_map(const proto::Descriptor& type) {
  if (type.options().map_entry()) return true;
  for (int i = 0; i < type.nested_type_count(); ++i) {
    if (has_map(*type.nested_type(i))) return true;
  }
  return false;
}

bool has_map(const proto::FileDescriptor& file) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    if (has_map(*file.message_type(i))) return true;
  }
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (has_map(*file.dependency(i))) return true;
  }
  return false;
}

}  // namespace

bool needs_normalizing(const proto::FileDescriptor& file) { return imports_any(file) || has_map(file); }

// The well-known files import each other three deep.
bool imports_any(const proto::FileDescriptor& file) {
  if (file.name() == "google/protobuf/any.proto") return true;
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (imports_any(*file.dependency(i))) return true;
  }
  return false;
}

bool normalize(int levels, proto::Message& message, const proto::DescriptorPool& pool, proto::MessageFactory& factory) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Any")
    return normalize_content(levels, message, pool, factory);
  std::vector<const proto::FieldDescriptor*> fields;
  const auto& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const proto::FieldDescriptor* field : fields) {
    if (field->cpp_type() != proto::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      proto::Message* inner = field->is_repeated() ? reflection.MutableRepeatedMessage(&message, field, i)
                                                   : reflection.MutableMessage(&message, field, &factory);
      if (!normalize(levels, *inner, pool, factory)) return false;
    }
    if (field->is_map()) remove_former_entries(message, *field);
  }
  return true;
}

}  // namespace pg
