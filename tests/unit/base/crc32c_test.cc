#include "core/base/crc32c.h"

#include <isa-l/crc.h>

#include <numeric>
#include <string>
#include <vector>

#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

uint32_t by_isal(std::string_view bytes) {
  // isa-l's signature lacks a const; it only reads.
  auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), 0xffffffff);
}

}  // namespace

TEST_CASE("crc32c: the published check values") {
  std::string ascending(32, '\0'), descending(32, '\0');
  std::iota(ascending.begin(), ascending.end(), '\0');
  std::iota(descending.rbegin(), descending.rend(), '\0');
  CHECK(crc32c(as_bytes("")) == 0);
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
  // RFC 3720, B.4
  CHECK(crc32c(as_bytes(std::string(32, '\0'))) == 0x8a9136aa);
  CHECK(crc32c(as_bytes(std::string(32, '\xff'))) == 0x62a8ab43);
  CHECK(crc32c(as_bytes(ascending)) == 0x46dd794e);
  CHECK(crc32c(as_bytes(descending)) == 0x113fdb5c);
}

TEST_CASE("crc32c: agrees with isa-l at every short length and unaligned start") {
  SeededRandom random;
  const std::string bytes = random.bytes(600);
  for (size_t start = 0; start < 16; ++start) {
    for (size_t length = 0; length + start <= bytes.size(); ++length) {
      const auto part = std::string_view(bytes).substr(start, length);
      REQUIRE(crc32c(as_bytes(part)) == by_isal(part));
    }
  }
}

TEST_CASE("crc32c: agrees with isa-l on random lengths to 100 KB and at the borders of its lanes") {
  SeededRandom random;
  const std::string bytes = random.bytes(100'016);
  std::vector<size_t> lengths;
  for (const size_t lanes : {size_t{3} * 8192, size_t{6} * 8192, size_t{9} * 8192}) {
    for (size_t more = 0; more < 20; ++more) lengths.push_back(lanes - 10 + more);
  }
  for (int i = 0; i < 500; ++i) lengths.push_back(random.below(100'001));
  for (const size_t length : lengths) {
    CAPTURE(length);
    const auto part = std::string_view(bytes).substr(random.below(16), length);
    REQUIRE(crc32c(as_bytes(part)) == by_isal(part));
  }
}

TEST_CASE("crc32c: goes on from the part before, and combines two parts") {
  SeededRandom random;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = random.bytes(random.below(i % 10 == 0 ? 60'000 : 300));
    const size_t cut = bytes.empty() ? 0 : random.below(bytes.size() + 1);
    const ByteView whole = as_bytes(bytes), a = whole.first(cut), b = whole.subspan(cut);
    REQUIRE(crc32c(b, crc32c(a)) == crc32c(whole));
    REQUIRE(crc32c_combine(crc32c(a), crc32c(b), b.size()) == crc32c(whole));
  }
}

TEST_CASE("crc32c: combining with a length that no buffer has") {
  // 2^40 zero bytes, in two halves and at once.
  const uint32_t a = 0x12345678;
  const uint64_t half = uint64_t{1} << 39;
  CHECK(crc32c_combine(crc32c_combine(a, 0, half), 0, half) == crc32c_combine(a, 0, 2 * half));
  CHECK(crc32c_combine(a, 0, 0) == a);
}
