// The .proto files that are part of libprotobuf: what a schema may import.
#pragma once

#include <string_view>

namespace pg {

// "google/protobuf/timestamp.proto"
bool is_well_known_file(std::string_view name);

}  // namespace pg
