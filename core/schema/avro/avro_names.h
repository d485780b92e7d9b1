// Names of Avro's records, enums and fixed: a namespace, which may be empty, and a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pg {

struct AvroName {
  std::string space;
  std::string name;

  std::string full() const { return space.empty() ? name : space + "." + name; }
  // As it is written where `current` is the namespace.
  std::string within(std::string_view current) const;

  bool operator==(const AvroName&) const = default;
};

// Letters, digits and underscores, no digit first.
bool is_avro_name(std::string_view text);

// `text` with dots is a full name, and `space` does not matter. Empty: it is not a name.
std::optional<AvroName> parse_avro_name(std::string_view text, std::string_view space);

// Dotted, or empty.
bool is_avro_namespace(std::string_view text);

}  // namespace pg
