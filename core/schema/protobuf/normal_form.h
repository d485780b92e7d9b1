// Messages in which nothing comes twice: the library's JSON prints fields as they come in the bytes, where its parsers take the last
// of two, make one message of two, and of a oneof keep one member.
#pragma once

namespace google::protobuf {
class DescriptorPool;
class FileDescriptor;
class Message;
class MessageFactory;
}  // namespace google::protobuf

namespace pg {

// Without it no message has an Any.
bool imports_any(const google::protobuf::FileDescriptor& file);

// Whether parsing is not enough for messages of this file: an Any holds bytes, and a map stays a list.
bool needs_normalizing(const google::protobuf::FileDescriptor& file);

// Does the rest, also to what is in each Any as far as `pool` knows its type. False: one is more than `levels` deep in others.
bool normalize(int levels, google::protobuf::Message& message, const google::protobuf::DescriptorPool& pool,
               google::protobuf::MessageFactory& factory);

}  // namespace pg
