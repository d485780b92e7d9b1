// How a value says which schema it was written with: Confluent's wire format, a zero byte and the schema's id,
// big-endian, before the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace pg {

inline constexpr size_t kWireHeaderBytes = 5;

// A value in the wire format: the id of its schema, and the bytes behind it.
struct WireValue {
  int32_t schema_id;
  std::string_view payload;
};

std::string to_wire(int32_t schema_id, std::string_view payload);

// None: the value does not begin with such a header.
std::optional<WireValue> from_wire(std::string_view value);

}  // namespace pg
