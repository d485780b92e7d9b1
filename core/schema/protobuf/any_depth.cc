#include "core/schema/protobuf/any_depth.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

namespace pg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

// What is in it. Null: of an unknown type, or nothing of its type, which is for others to say.
std::unique_ptr<Message> content_of(const Message& any, MessageFactory& factory) {
  const auto text = [&](int number) {
    return any.GetReflection()->GetString(any, any.GetDescriptor()->FindFieldByNumber(number));
  };
  const std::string url = text(1);
  const Descriptor* type = any.GetDescriptor()->file()->pool()->FindMessageTypeByName(url.substr(url.rfind('/') + 1));
  if (type == nullptr) return nullptr;
  std::unique_ptr<Message> content(factory.GetPrototype(type)->New());
  return content->ParsePartialFromString(text(2)) ? std::move(content) : nullptr;
}

}  // namespace

bool has_any_deeper_than(int levels, const Message& message, MessageFactory& factory) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Any") {
    if (levels == 0) return true;
    const auto content = content_of(message, factory);
    return content != nullptr && has_any_deeper_than(levels - 1, *content, factory);
  }
  std::vector<const FieldDescriptor*> fields;
  const auto& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inner = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                  : reflection.GetMessage(message, field);
      if (has_any_deeper_than(levels, inner, factory)) return true;
    }
  }
  return false;
}

}  // namespace pg
