// Messages in which no field comes twice. The library's JSON prints fields as they come in the bytes, but its parsers
// take the last of two values, merge two messages, and keep one member of a oneof.
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

// Does what parsing does not, also inside each Any whose type `pool` knows. False: an Any is more than `levels` deep in
// others.
bool normalize(int levels, google::protobuf::Message& message, const google::protobuf::DescriptorPool& pool,
               google::protobuf::MessageFactory& factory);

}  // namespace pg
