#include "core/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/limits.h"
#include "core/schema/avro/avro_schema.h"
#include "core/schema/json/json_schema.h"
#include "core/schema/protobuf/protobuf_schema.h"

namespace pg {
namespace {

constexpr std::array<std::string_view, 3> kTypeNames = {"AVRO", "JSON", "PROTOBUF"};

bool same_letters(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return std::toupper(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, upper, upper);
}

}  // namespace

std::string_view schema_type_name(SchemaType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<SchemaType> parse_schema_type(std::string_view name) {
  const auto found = std::ranges::find_if(kTypeNames, [&](std::string_view type) { return same_letters(type, name); });
  if (found == kTypeNames.end()) return std::nullopt;
  return static_cast<SchemaType>(found - kTypeNames.begin());
}

Result<std::unique_ptr<Schema>> parse_schema(SchemaType type, std::string_view text) {
  if (text.size() > kSchemaBytesMax) {
    return fail(Errc::invalid_argument,
                fmt::format("a schema of {} bytes: at most {} are allowed", text.size(), kSchemaBytesMax));
  }
  switch (type) {
    case SchemaType::avro:
      return parse_avro_schema(text);
    case SchemaType::json:
      return parse_json_schema(text);
    case SchemaType::protobuf:
      return parse_protobuf_schema(text);
  }
  __builtin_unreachable();
}

}  // namespace pg
