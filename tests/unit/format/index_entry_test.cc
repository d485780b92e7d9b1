#include "core/format/index_entry.h"

#include <array>

#include "core/base/text.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("index_entry: the bytes are Kafka's") {
  std::array<std::byte, OffsetIndexEntry::kBytes> offset;
  OffsetIndexEntry{0x01020304, 0x0a0b0c0d}.write(offset.data());
  CHECK(hex(as_text(offset)) == "010203040a0b0c0d");
  const auto read = OffsetIndexEntry::read(offset.data());
  CHECK(read.relative_offset == 0x01020304);
  CHECK(read.position == 0x0a0b0c0d);

  std::array<std::byte, TimeIndexEntry::kBytes> time;
  TimeIndexEntry{1'700'000'000'000, -2}.write(time.data());
  CHECK(hex(as_text(time)) == "0000018bcfe56800fffffffe");
  const auto read_time = TimeIndexEntry::read(time.data());
  CHECK(read_time.timestamp_ms == 1'700'000'000'000);
  CHECK(read_time.relative_offset == -2);
}
