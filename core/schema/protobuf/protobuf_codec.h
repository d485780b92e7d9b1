// JSON to Protobuf's bytes and back, by a schema that is known only now.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace google::protobuf {
class Descriptor;
class DescriptorPool;
class DynamicMessageFactory;
class FileDescriptor;
class Message;
namespace util {
class TypeResolver;
}
}  // namespace google::protobuf

namespace pg {

// As Protobuf's own JSON mapping has it: names in lowerCamelCase (both are read), 64-bit numbers as strings, bytes in
// base64. Several threads may use one.
class ProtobufCodec {
 public:
  // Of a file that lives longer.
  explicit ProtobufCodec(const google::protobuf::FileDescriptor& file);
  ~ProtobufCodec();

  // The first message of the file. Errc::invalid_argument: the JSON is not one, and the message names the field.
  Result<std::string> encode(std::string_view json) const;
  // Whichever message it is. Errc::corrupt: the bytes are none. A field that comes twice counts as in Protobuf's
  // parsers: the last value, of messages both merged, of a oneof the last member. Fields without a value that can be
  // told from none are printed with their default; those that the schema does not know are left out.
  Result<std::string> decode(std::string_view payload) const;

 private:
  Result<std::unique_ptr<google::protobuf::Message>> read(const google::protobuf::Descriptor& type,
                                                          std::string_view bytes, Errc otherwise) const;

  const google::protobuf::FileDescriptor& file_;
  const bool needs_normalizing_;
  // The file with messages in place of groups, for JSON; null: it has no groups.
  const std::unique_ptr<google::protobuf::DescriptorPool> without_groups_;
  const std::unique_ptr<google::protobuf::DynamicMessageFactory> messages_;
  const std::unique_ptr<google::protobuf::util::TypeResolver> types_;
};

}  // namespace pg
