#include "core/schema/protobuf/protobuf_text.h"

#include <google/protobuf/descriptor.h>

#include <map>

namespace pg {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// One level deeper. Literals have their line ends escaped, so each line is one of Protobuf's.
std::string indented(const std::string& text) {
  std::string result;
  for (size_t at = 0, end = 0; at < text.size(); at = end) {
    end = text.find('\n', at) + 1;
    result.append("  ").append(text, at, end - at);
  }
  return result;
}

// Where `lines` stand in `text`, from the beginning of a line.
size_t find_lines(const std::string& text, const std::string& lines, size_t from = 0) {
  for (size_t at = text.find(lines, from); at != std::string::npos; at = text.find(lines, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string::npos;
}

// The messages that a field declares by itself: maps' and groups'.
std::map<const Descriptor*, const FieldDescriptor*> declared_by_fields(const Descriptor& message) {
  std::map<const Descriptor*, const FieldDescriptor*> found;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.is_map() || field.type() == FieldDescriptor::TYPE_GROUP) found[field.message_type()] = &field;
  }
  return found;
}

// The library prints the messages inside this one before its fields. Here those that come after the message of a map or
// a group stand behind that field: their order is what the indexes in front of a payload count.
std::string message_text(const Descriptor& message) {
  const std::string printed = message.DebugString();
  const auto fields = declared_by_fields(message);
  const auto nested = [&](int i) -> const Descriptor& { return *message.nested_type(i); };
  std::string before;
  for (int i = 0; i < message.nested_type_count(); ++i) {
    if (!fields.contains(&nested(i))) before += indented(nested(i).DebugString());
  }
  const size_t at = before.empty() ? std::string::npos : find_lines(printed, before);
  if (at == std::string::npos) return printed;
  std::string text = printed.substr(0, at);
  size_t rest = at + before.size();
  for (int i = 0; i < message.nested_type_count(); ++i) {
    const auto field = fields.find(&nested(i));
    if (field == fields.end()) {
      text += indented(message_text(nested(i)));
      continue;
    }
    const std::string lines = indented(field->second->DebugString());
    const size_t found = find_lines(printed, lines, rest);
    if (found == std::string::npos) continue;
    text.append(printed, rest, found + lines.size() - rest);
    rest = found + lines.size();
  }
  return text + printed.substr(rest);
}

}  // namespace

std::string protobuf_text(const FileDescriptor& file) {
  std::string text = file.DebugString(), enums, before, after;
  for (int i = 0; i < file.enum_type_count(); ++i) enums += file.enum_type(i)->DebugString() + "\n";
  for (int i = 0; i < file.message_type_count(); ++i) {
    before += file.message_type(i)->DebugString() + "\n";
    after += message_text(*file.message_type(i)) + "\n";
  }
  // The library prints enums before messages.
  if (const size_t at = find_lines(text, enums + before); at != std::string::npos) {
    text.replace(at, enums.size() + before.size(), after);
    text += enums;
  }
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace pg
