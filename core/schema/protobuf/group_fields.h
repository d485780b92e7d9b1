// Groups of proto2, which the library's JSON does not know: it would take the fields of a group for those of the message around it.
//
// For its JSON a group is a field that holds a message. What differs is the encoding only: a group stands between two tags, a
// message behind its length.
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

// The bytes of a message of `type`, which is of the file that has groups. What `type` does not know may be left out. Empty: they are none.
std::optional<std::string> groups_to_messages(const google::protobuf::Descriptor& type, std::string_view bytes);
std::optional<std::string> messages_to_groups(const google::protobuf::Descriptor& type, std::string_view bytes);

}  // namespace pg
