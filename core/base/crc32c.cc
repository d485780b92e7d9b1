#include "core/base/crc32c.h"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace pg {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected: bit 31 is x^0

// a·b modulo the polynomial, both reflected.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b & 1) ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

// kPowers[k] is x^(8·2^k): appending 2^k zero bytes multiplies a CRC by it.
constexpr std::array<uint32_t, 64> kPowers = [] {
  std::array<uint32_t, 64> powers{};
  powers[0] = 1u << 23;  // x^8
  for (size_t k = 1; k < powers.size(); ++k) powers[k] = multiply(powers[k - 1], powers[k - 1]);
  return powers;
}();

constexpr uint32_t shift(uint32_t crc, uint64_t zero_bytes) {
  for (size_t k = 0; zero_bytes != 0; zero_bytes >>= 1, ++k) {
    if (zero_bytes & 1) crc = multiply(kPowers[k], crc);
  }
  return crc;
}

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ kPolynomial : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

uint32_t extend_portable(uint32_t state, const std::byte* p, size_t n) {
  while (n-- > 0) state = (state >> 8) ^ kTable[(state ^ static_cast<uint32_t>(*p++)) & 0xff];
  return state;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) uint64_t step(uint64_t state, const std::byte* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return _mm_crc32_u64(state, word);
}

// The instruction takes 3 cycles and one can start in each, so three lanes run at once. A lane is long enough that
// joining the lanes (about 0.1 µs) does not count.
constexpr size_t kLaneBytes = 8192;
constexpr uint32_t kLaneShift = shift(1u << 31, kLaneBytes);  // 1u << 31 is x^0

__attribute__((target("sse4.2"))) uint32_t extend_sse42(uint32_t state, const std::byte* p, size_t n) {
  while (n >= 3 * kLaneBytes) {
    uint64_t a = state, b = 0, c = 0;
    for (const std::byte* end = p + kLaneBytes; p < end; p += 8) {
      a = step(a, p);
      b = step(b, p + kLaneBytes);
      c = step(c, p + 2 * kLaneBytes);
    }
    const uint32_t ab = multiply(kLaneShift, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
    state = multiply(kLaneShift, ab) ^ static_cast<uint32_t>(c);
    p += 2 * kLaneBytes;
    n -= 3 * kLaneBytes;
  }
  uint64_t wide = state;
  for (; n >= 8; n -= 8, p += 8) wide = step(wide, p);
  state = static_cast<uint32_t>(wide);
  while (n-- > 0) state = _mm_crc32_u8(state, static_cast<uint8_t>(*p++));
  return state;
}

#endif

}  // namespace

uint32_t crc32c(ByteView bytes, uint32_t crc) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~extend_sse42(~crc, bytes.data(), bytes.size());
#endif
  return ~extend_portable(~crc, bytes.data(), bytes.size());
}

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) { return shift(crc_a, length_b) ^ crc_b; }

}  // namespace pg
