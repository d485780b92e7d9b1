#include "core/schema/avro/avro_type.h"

#include <algorithm>
#include <array>

namespace pg {
namespace {

constexpr std::array<std::string_view, 14> kAvroKindNames = {"null",   "boolean", "int",    "long",   "float",
                                                             "double", "bytes",   "string", "record", "enum",
                                                             "fixed",  "array",   "map",    "union"};

}  // namespace

std::string_view avro_kind_name(AvroKind kind) { return kAvroKindNames[static_cast<size_t>(kind)]; }

std::optional<AvroKind> avro_kind_of(std::string_view name) {
  const auto found = std::ranges::find(kAvroKindNames, name);
  if (found == kAvroKindNames.end()) return std::nullopt;
  return static_cast<AvroKind>(found - kAvroKindNames.begin());
}

std::string avro_branch_name(const AvroType& type) {
  return is_named(type.kind) ? type.name.full() : std::string(avro_kind_name(type.kind));
}

}  // namespace pg
