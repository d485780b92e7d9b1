#include "core/base/bytes.h"

#include <array>
#include <limits>
#include <vector>

#include "core/base/text.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

std::string varint(int64_t v) {
  std::array<std::byte, kVarintBytesMax> buffer;
  const std::byte* end = write_varint(buffer.data(), v);
  return std::string(as_text({buffer.data(), static_cast<size_t>(end - buffer.data())}));
}

// How many bytes were read, and the value; 0 where there is no varint.
std::pair<size_t, int64_t> parse(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  int64_t v = 0;
  const std::byte* end = read_varint(bytes.data(), bytes.data() + bytes.size(), v);
  return {end == nullptr ? 0 : static_cast<size_t>(end - bytes.data()), v};
}

}  // namespace

TEST_CASE("bytes: varints at their limits are Kafka's bytes") {
  const struct {
    int64_t value;
    const char* bytes;
  } rows[] = {
      {0, "00"},
      {-1, "01"},
      {1, "02"},
      {63, "7e"},
      {-64, "7f"},
      {64, "8001"},
      {-65, "8101"},
      {8191, "fe7f"},
      {-8192, "ff7f"},
      {8192, "808001"},
      {std::numeric_limits<int32_t>::max(), "feffffff0f"},
      {std::numeric_limits<int32_t>::min(), "ffffffff0f"},
      {kMax, "feffffffffffffffff01"},
      {kMin, "ffffffffffffffffff01"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    const std::string written = varint(row.value);
    CHECK(hex(written) == row.bytes);
    CHECK(varint_size(row.value) == written.size());
    CHECK(parse(written) == std::pair(written.size(), row.value));
  }
}

TEST_CASE("bytes: varints around every power of two come back, and varint_size is what is written") {
  for (int bit = 0; bit < 63; ++bit) {
    for (const int64_t near : {int64_t{-2}, int64_t{-1}, int64_t{0}, int64_t{1}}) {
      for (const int64_t sign : {int64_t{1}, int64_t{-1}}) {
        const int64_t value = sign * ((int64_t{1} << bit) + near);
        const std::string written = varint(value);
        REQUIRE(varint_size(value) == written.size());
        REQUIRE(parse(written) == std::pair(written.size(), value));
      }
    }
  }
}

TEST_CASE("bytes: random varints come back") {
  SeededRandom random;
  for (int i = 0; i < 10000; ++i) {
    const auto value = static_cast<int64_t>(random.next() >> random.below(64));
    const std::string written = varint(value);
    REQUIRE(parse(written) == std::pair(written.size(), value));
  }
}

TEST_CASE("bytes: a varint that does not end is refused") {
  for (const int64_t value : {int64_t{1}, int64_t{64}, int64_t{1} << 20, kMax, kMin}) {
    const std::string written = varint(value);
    for (size_t cut = 0; cut < written.size(); ++cut) CHECK(parse(written.substr(0, cut)).first == 0);
  }
  CHECK(parse(std::string(10, '\x80')).first == 0);
  CHECK(parse(std::string(10, '\x80') + '\0').first == 0);  // the eleventh byte is one too many
  CHECK(parse(std::string(9, '\x80') + '\0') == std::pair(size_t{10}, int64_t{0}));
}

TEST_CASE("bytes: fixed-width integers are big-endian at any address") {
  std::array<std::byte, 16> buffer{};
  store_big_endian<int64_t>(buffer.data() + 1, 0x0102030405060708);
  store_big_endian<int32_t>(buffer.data() + 9, -2);
  store_big_endian<int16_t>(buffer.data() + 13, 0x1122);
  store_big_endian<int8_t>(buffer.data() + 15, -1);
  CHECK(hex(as_text(buffer)) == "000102030405060708fffffffe1122ff");
  CHECK(load_big_endian<int64_t>(buffer.data() + 1) == 0x0102030405060708);
  CHECK(load_big_endian<int32_t>(buffer.data() + 9) == -2);
  CHECK(load_big_endian<uint32_t>(buffer.data() + 9) == 0xfffffffe);
  CHECK(load_big_endian<int16_t>(buffer.data() + 13) == 0x1122);
  CHECK(load_big_endian<int8_t>(buffer.data() + 15) == -1);
}
