// How deep an Any is nested in an Any. To the parser each is a string of bytes, which is not counted in its depth.
#pragma once

namespace google::protobuf {
class Message;
class MessageFactory;
}  // namespace google::protobuf

namespace pg {

// More than `levels` of them, of types that the pool of `message` knows. Parses them with messages of `factory`.
bool has_any_deeper_than(int levels, const google::protobuf::Message& message,
                         google::protobuf::MessageFactory& factory);

}  // namespace pg
