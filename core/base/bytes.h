// Big-endian integers and Kafka's zig-zag varints in byte buffers. Callers guarantee the bounds of the fixed-width
// ones.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace pg {

using ByteView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <class T>
constexpr T to_big_endian(T v) {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
    return v;
  } else {
    using U = std::make_unsigned_t<T>;
    if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<U>(v)));
    if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<U>(v)));
    if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<U>(v)));
  }
}

template <class T>
T load_big_endian(const std::byte* from) {
  T v;
  std::memcpy(&v, from, sizeof v);
  return to_big_endian(v);
}

template <class T>
void store_big_endian(std::byte* to, T v) {
  v = to_big_endian(v);
  std::memcpy(to, &v, sizeof v);
}

constexpr uint64_t zigzag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
constexpr int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

inline constexpr size_t kVarintBytesMax = 10;

// Bytes that write_varint will use for `v`: 1 to 10.
constexpr size_t varint_size(int64_t v) {
  const uint64_t z = zigzag(v);
  if (z < 1u << 7) return 1;
  if (z < 1u << 14) return 2;
  return (static_cast<size_t>(std::bit_width(z)) + 6) / 7;
}

// The loops of the two below, for numbers of more than two bytes: apart, so that the common cases can be inlined, which
// is forced, since they run several times per record.
std::byte* write_long_varint(std::byte* to, uint64_t zigzagged);
const std::byte* read_long_varint(const std::byte* from, const std::byte* end, int64_t& v);

// Writes `v` and returns the byte after it. Needs varint_size(v) bytes of room.
[[gnu::always_inline]] inline std::byte* write_varint(std::byte* to, int64_t v) {
  const uint64_t z = zigzag(v);
  if (z < 1u << 7) {
    *to = static_cast<std::byte>(z);
    return to + 1;
  }
  if (z >= 1u << 14) return write_long_varint(to, z);
  to[0] = static_cast<std::byte>(z | 0x80);
  to[1] = static_cast<std::byte>(z >> 7);
  return to + 2;
}

// Reads a varint from [from, end); returns the byte after it, or nullptr if it does not end within 10 bytes or `end`.
[[gnu::always_inline]] inline const std::byte* read_varint(const std::byte* from, const std::byte* end, int64_t& v) {
  if (end - from < 2) return read_long_varint(from, end, v);
  const auto low = static_cast<uint8_t>(from[0]), high = static_cast<uint8_t>(from[1]);
  if (low < 0x80) {
    v = unzigzag(low);
    return from + 1;
  }
  if (high >= 0x80) return read_long_varint(from, end, v);
  v = unzigzag((low & 0x7fu) | static_cast<unsigned>(high) << 7);
  return from + 2;
}

}  // namespace pg
