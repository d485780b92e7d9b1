// The text by which a Protobuf schema is stored.
#pragma once

#include <string>

namespace google::protobuf {
class FileDescriptor;
}

namespace pg {

// Without comments, names in full, one order of declarations: the same for every way to write the same file. Messages
// keep their order, which the indexes in front of a payload count, and come before everything else that has a name:
// clients such as kafkajs take what stands first for the message that is meant.
std::string protobuf_text(const google::protobuf::FileDescriptor& file);

}  // namespace pg
