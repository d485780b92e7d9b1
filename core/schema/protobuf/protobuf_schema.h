// Protobuf behind the face of core/schema/schema.h: libprotobuf's parser and descriptors, Confluent's rules.
#pragma once

#include <memory>
#include <string_view>

#include "core/schema/schema.h"

namespace pg {

// A .proto file, or the base64 of a serialized FileDescriptorProto, which is what Confluent's clients in Python, Go and
// C# register. It may import Google's well-known types and nothing else.
Result<std::unique_ptr<Schema>> parse_protobuf_schema(std::string_view text);

}  // namespace pg
