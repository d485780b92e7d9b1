#include "core/schema/wire_format.h"

namespace pg {

std::string to_wire(int32_t schema_id, std::string_view payload) {
  std::string value(kWireHeaderBytes, '\0');
  store_big_endian(reinterpret_cast<std::byte*>(value.data() + 1), schema_id);
  return value.append(payload);
}

std::optional<WireValue> from_wire(std::string_view value) {
  if (value.size() < kWireHeaderBytes || value[0] != '\0') return std::nullopt;
  const auto id = load_big_endian<int32_t>(as_bytes(value).data() + 1);
  return WireValue{id, value.substr(kWireHeaderBytes)};
}

}  // namespace pg
