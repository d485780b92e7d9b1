// What of a Protobuf schema may change, by Confluent's rules.
#pragma once

#include <vector>

#include "core/schema/schema.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace pg {

// Paths are Confluent's: "#/Order/Item/3" is field 3 of the message Item in Order, "#/Order/payment" a oneof.
std::vector<Incompatibility> protobuf_incompatibilities(const google::protobuf::FileDescriptor& writer,
                                                        const google::protobuf::FileDescriptor& reader);

}  // namespace pg
