// Groups of proto2, which the library's JSON does not know: it would take the fields of a group for those of the
// message around it.
//
// So groups become fields that hold messages. Only the encoding differs: a group stands between two tags, a message
// behind its length.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Descriptor;
class FileDescriptor;
class FileDescriptorProto;
}  // namespace google::protobuf

namespace pg {

// Whether a message of the file, at any depth, has a group.
bool has_groups(const google::protobuf::FileDescriptor& file);
// The same file with messages in place of groups.
google::protobuf::FileDescriptorProto without_groups(const google::protobuf::FileDescriptor& file);

// Converts the bytes of a message of `type`, a type of the file that has groups. Fields that `type` does not know may
// be left out. Empty: the bytes are not such a message.
std::optional<std::string> groups_to_messages(const google::protobuf::Descriptor& type, std::string_view bytes);
std::optional<std::string> messages_to_groups(const google::protobuf::Descriptor& type, std::string_view bytes);

}  // namespace pg
