#include "core/schema/protobuf/well_known_types.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/source_context.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <array>

namespace pg {

bool is_well_known_file(std::string_view name) {
  // Each is named because a linker leaves out what nobody names, and the library's pool would not have it.
  static const std::array files = {
      google::protobuf::Any::descriptor()->file(),        google::protobuf::Api::descriptor()->file(),
      google::protobuf::Duration::descriptor()->file(),   google::protobuf::Empty::descriptor()->file(),
      google::protobuf::FieldMask::descriptor()->file(),  google::protobuf::FileDescriptorProto::descriptor()->file(),
      google::protobuf::Int32Value::descriptor()->file(), google::protobuf::SourceContext::descriptor()->file(),
      google::protobuf::Struct::descriptor()->file(),     google::protobuf::Timestamp::descriptor()->file(),
      google::protobuf::Type::descriptor()->file(),
  };
  return std::ranges::any_of(files, [&](const auto* file) { return file->name() == name; });
}

}  // namespace pg
