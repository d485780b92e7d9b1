// The text of a Protobuf schema to descriptors, with everything bounded that libprotobuf does recursively or for each
// pair.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace google::protobuf {
class DescriptorPool;
class FileDescriptor;
}  // namespace google::protobuf

namespace pg {

struct ProtobufFile {
  std::string canonical;                                   // a text that says the same
  std::unique_ptr<google::protobuf::DescriptorPool> pool;  // owns `descriptor`; finds the well-known types, too
  const google::protobuf::FileDescriptor* descriptor;      // has a message
};

// Errc::invalid_argument: not Protobuf, where and why; or no message; or an import; or too deep.
Result<ProtobufFile> parse_protobuf_file(std::string_view text);

}  // namespace pg
