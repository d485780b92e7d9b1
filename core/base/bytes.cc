#include "core/base/bytes.h"

namespace pg {

std::byte* write_long_varint(std::byte* to, uint64_t zigzagged) {
  while (zigzagged >= 0x80) {
    *to++ = static_cast<std::byte>(zigzagged | 0x80);
    zigzagged >>= 7;
  }
  *to++ = static_cast<std::byte>(zigzagged);
  return to;
}

const std::byte* read_long_varint(const std::byte* from, const std::byte* end, int64_t& v) {
  uint64_t value = 0;
  for (unsigned shift = 0; from < end && shift < 7 * kVarintBytesMax; shift += 7) {
    const auto byte = static_cast<uint8_t>(*from++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      v = unzigzag(value);
      return from;
    }
  }
  return nullptr;
}

}  // namespace pg
