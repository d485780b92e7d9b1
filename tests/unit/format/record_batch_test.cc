#include "core/format/record_batch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/crc32c.h"
#include "core/base/limits.h"
#include "tests/support/batch_items.h"
#include "tests/support/golden.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

// python3-kafka reads these files as the records above, and encodes the records to the same bytes.
TEST_CASE("record_batch: the bytes of a batch never change") {
  Bytes batch = encode(golden_items());
  stamp_batch(batch, Offset(42), LeaderEpoch(7));
  CHECK(hex(as_text(batch)) == golden_hex("batch_v2.hex", as_text(batch)));
  stamp_log_append_time(batch, 1'700'000'222'222);
  CHECK(hex(as_text(batch)) == golden_hex("batch_v2_log_append_time.hex", as_text(batch)));
}

TEST_CASE("record_batch: the header of a fresh batch") {
  const auto items = golden_items();
  const Bytes batch = encode(items);
  const BatchHeader header = read_batch_header(batch);
  CHECK(batch_header_fault(header) == nullptr);
  CHECK(header.base_offset == Offset(0));
  CHECK(header.size_bytes() == batch.size());
  CHECK(header.leader_epoch == LeaderEpoch(-1));
  CHECK(int{header.magic} == 2);
  CHECK(header.attributes == 0);
  CHECK(header.codec() == 0);
  CHECK(header.timestamp_type() == TimestampType::create);
  CHECK_FALSE(header.is_control());
  CHECK(header.last_offset_delta == 5);
  CHECK(header.last_offset() == Offset(5));
  CHECK(header.end_offset() == Offset(6));
  CHECK(header.base_timestamp_ms == 1'700'000'000'000);
  CHECK(header.max_timestamp_ms == 1'700'000'100'000);
  CHECK(header.producer == ProducerStamp{-1, -1, -1});
  CHECK(header.record_count == 6);
}

TEST_CASE("record_batch: a producer's stamp is in the header, inside the CRC") {
  BatchBuilder builder;
  CHECK(builder.add({.value = "v"}, 5, 1000));
  const ProducerStamp stamp{123456789012345, 2, 77};
  const MutableBytes batch = builder.finish(nullptr, stamp);
  CHECK(read_batch_header(batch).producer == stamp);
  CHECK(batch_crc_matches(batch));
  batch[56] ^= std::byte{1};
  CHECK_FALSE(batch_crc_matches(batch));
}

TEST_CASE("record_batch: epoch and sequence together count further than a sequence") {
  const int64_t wrap = int64_t{1} << 31;
  for (const int64_t count :
       {int64_t{0}, int64_t{1}, wrap - 1, wrap, wrap + 1, 5 * wrap + 17, ProducerStamp::kCountMax}) {
    CHECK(ProducerStamp::of(1, count).count() == count);
    CHECK(ProducerStamp::of(1, count).sequence >= 0);
    CHECK(ProducerStamp::of(1, count).epoch >= 0);
  }
  CHECK(ProducerStamp::of(1, wrap) == ProducerStamp{1, 1, 0});
}

TEST_CASE("record_batch: records come back as they were, nulls and headers included") {
  CHECK(must(decode(encode(golden_items()))) == golden_items());
  SeededRandom random;
  for (int i = 0; i < 300; ++i) {
    const auto items = random_items(random);
    REQUIRE(must(decode(encode(items))) == items);
  }
}

TEST_CASE("record_batch: a builder is used again, and refuses a record that would pass the limit without changing") {
  BatchBuilder builder;
  CHECK(builder.empty());
  const Item first{1000, "k", "first", {}}, second{2000, std::nullopt, "second", {}};
  REQUIRE(builder.add(view_of(first), first.timestamp_ms, kBatchBytesMax));
  const auto one = builder.finish();
  const Bytes alone(one.begin(), one.end());
  CHECK_FALSE(builder.add(view_of(second), second.timestamp_ms, alone.size() + 5));
  CHECK(builder.record_count() == 1);
  const auto again = builder.finish();
  CHECK(Bytes(again.begin(), again.end()) == alone);

  REQUIRE(builder.add(view_of(second), second.timestamp_ms, kBatchBytesMax));
  const size_t both = builder.finish().size();
  CHECK(must(decode(builder.finish())) == std::vector{first, second});

  builder.clear();
  CHECK(builder.empty());
  // Exactly at the limit fits; a byte less does not.
  REQUIRE(builder.add(view_of(second), 500, kBatchBytesMax));
  const size_t exact = builder.finish().size();
  builder.clear();
  CHECK_FALSE(builder.add(view_of(second), 500, exact - 1));
  CHECK(builder.empty());
  REQUIRE(builder.add(view_of(second), 500, exact));
  CHECK(must(decode(builder.finish())).front().timestamp_ms == 500);
  CHECK(both > exact);
}

TEST_CASE("record_batch: timestamps at the limits of their type come back") {
  for (const int64_t first : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) {
    for (const int64_t second : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) {
      const std::vector<Item> items = {{first, "a", "b", {}}, {second, "c", "d", {}}};
      const Bytes batch = encode(items);
      CHECK(must(decode(batch)) == items);
      CHECK(read_batch_header(batch).max_timestamp_ms == std::max(first, second));
    }
  }
}

TEST_CASE("record_batch: stamping offset and epoch leaves the CRC alone") {
  Bytes batch = encode(golden_items());
  stamp_batch(batch, Offset(1'234'567'890'123), LeaderEpoch(99));
  CHECK(batch_crc_matches(batch));
  const BatchHeader header = read_batch_header(batch);
  CHECK(header.base_offset == Offset(1'234'567'890'123));
  CHECK(header.leader_epoch == LeaderEpoch(99));
  Decompressor decompressor;
  auto cursor = must(RecordCursor::begin(batch, header, decompressor));
  RecordView record;
  CHECK(must(cursor.next(record)));
  CHECK(record.offset == Offset(1'234'567'890'123));
}

TEST_CASE(
    "record_batch: LogAppendTime gives every record the log's time, and its CRC is right without reading the records") {
  SeededRandom random;
  for (int i = 0; i < 100; ++i) {
    const auto items = random_items(random);
    Bytes batch = encode(items);
    const auto time = static_cast<int64_t>(random.next() >> 1);
    stamp_log_append_time(batch, time);
    REQUIRE(batch_crc_matches(batch));
    stamp_log_append_time(batch, time - 1);  // a retry stamps it again
    REQUIRE(batch_crc_matches(batch));
    REQUIRE(read_batch_header(batch).timestamp_type() == TimestampType::log_append);
    REQUIRE(read_batch_header(batch).max_timestamp_ms == time - 1);
    auto expected = items;
    for (auto& item : expected) item.timestamp_ms = time - 1;
    REQUIRE(must(decode(batch)) == expected);
  }
}

TEST_CASE("record_batch: every truncation of a batch is refused") {
  const Bytes batch = encode(golden_items());
  for (size_t length = 0; length < batch.size(); ++length) {
    REQUIRE(code_of(decode(ByteView(batch).first(length))) == Errc::corrupt);
  }
  Bytes longer = batch;
  longer.push_back(std::byte{0});
  CHECK(code_of(decode(longer)) == Errc::corrupt);
}

TEST_CASE("record_batch: every flipped bit is refused, save where the log may stamp") {
  const auto items = golden_items();
  const Bytes batch = encode(items);
  for (size_t at = 0; at < batch.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      CAPTURE(bit);
      Bytes damaged = batch;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      const auto decoded = decode(damaged);
      const bool outside_crc = at < 8 || (at >= 12 && at < 16);  // base offset and leader epoch
      if (!outside_crc)
        REQUIRE(code_of(decoded) == Errc::corrupt);
      else if (decoded)
        REQUIRE(*decoded == items);
    }
  }
}

TEST_CASE("record_batch: a batch whose CRC was made to fit its damage never reads outside itself") {
  // What a decoder must survive: the sanitizers see a step outside, and every record stays inside the batch's offsets.
  SeededRandom random;
  const Bytes batch = encode(golden_items());
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes damaged = batch;
    for (auto n = 1 + random.below(3); n-- > 0;) {
      damaged[kBatchCrcStart + random.below(damaged.size() - kBatchCrcStart)] = static_cast<std::byte>(random.next());
    }
    seal(damaged);
    const auto decoded = decode(damaged);
    if (!decoded) ++refused;
  }
  CHECK(refused > 1000);
}

TEST_CASE("record_batch: headers that cannot be") {
  const Bytes batch = encode(golden_items());
  const BatchHeader good = read_batch_header(batch);
  const struct {
    const char* fault;
    void (*spoil)(BatchHeader&);
  } rows[] = {
      {"batch length too small", [](BatchHeader& h) { h.batch_length = 48; }},
      {"batch length too small", [](BatchHeader& h) { h.batch_length = -1; }},
      {"batch length too large", [](BatchHeader& h) { h.batch_length = INT32_MAX; }},
      {"not a record batch of magic 2", [](BatchHeader& h) { h.magic = 1; }},
      {"not a record batch of magic 2", [](BatchHeader& h) { h.magic = 3; }},
      {"negative offset", [](BatchHeader& h) { h.base_offset = Offset(-1); }},
      {"negative offset", [](BatchHeader& h) { h.last_offset_delta = -1; }},
      {"offset too large", [](BatchHeader& h) { h.base_offset = Offset(INT64_MAX); }},
      {"offset too large", [](BatchHeader& h) { h.base_offset = Offset(INT64_MAX - 5); }},
      {"record count does not fit its offsets", [](BatchHeader& h) { h.record_count = 7; }},
      {"record count does not fit its offsets", [](BatchHeader& h) { h.record_count = -1; }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fault);
    BatchHeader header = good;
    row.spoil(header);
    REQUIRE(batch_header_fault(header) != nullptr);
    CHECK(std::string(batch_header_fault(header)) == row.fault);
  }
  BatchHeader last = good;
  last.base_offset = Offset(kOffsetMax - last.last_offset_delta);
  CHECK(batch_header_fault(last) == nullptr);
  CHECK(last.end_offset() == Offset(kOffsetMax + 1));
  BatchHeader compacted = good;
  compacted.record_count = 0;  // a compacted batch keeps its offsets
  CHECK(batch_header_fault(compacted) == nullptr);
}

TEST_CASE("record_batch: gaps between offsets are fine, going back is not") {
  // Two records of 8 bytes each: length 7, attributes, timestamp delta, offset delta, key -1, value length 1, 'v', no
  // headers.
  const auto with_deltas = [](uint8_t first, uint8_t second, int32_t last) {
    Bytes batch = encode({{0, std::nullopt, "v", {}}, {0, std::nullopt, "v", {}}});
    REQUIRE(batch.size() == kBatchHeaderBytes + 16);
    batch[kBatchHeaderBytes + 3] = static_cast<std::byte>(first << 1);
    batch[kBatchHeaderBytes + 8 + 3] = static_cast<std::byte>(second << 1);
    store_big_endian(batch.data() + 23, last);
    seal(batch);
    return batch;
  };
  const auto offsets = [](const Bytes& batch) -> Result<std::string> {
    Decompressor decompressor;
    PG_ASSIGN(auto cursor, RecordCursor::begin(batch, read_batch_header(batch), decompressor));
    std::string text;
    for (RecordView record;;) {
      PG_ASSIGN(const bool more, cursor.next(record));
      if (!more) return text;
      text += std::to_string(record.offset.value) + " ";
    }
  };
  CHECK(must(offsets(with_deltas(0, 1, 1))) == "0 1 ");
  CHECK(must(offsets(with_deltas(3, 9, 20))) == "3 9 ");
  CHECK(code_of(offsets(with_deltas(3, 3, 20))) == Errc::corrupt);
  CHECK(code_of(offsets(with_deltas(3, 2, 20))) == Errc::corrupt);
  CHECK(code_of(offsets(with_deltas(0, 21, 20))) == Errc::corrupt);
}

TEST_CASE("record_batch: a codec that this build cannot read is said, not guessed") {
  Decompressor decompressor;
  for (int codec = 5; codec < 8; ++codec) {
    Bytes batch = encode(golden_items());
    store_big_endian(batch.data() + 21, static_cast<int16_t>(codec));
    seal(batch);
    const BatchHeader header = read_batch_header(batch);
    CHECK(header.codec() == codec);
    CHECK(code_of(RecordCursor::begin(batch, header, decompressor)) == Errc::unsupported_version);
  }
}

TEST_CASE("record_batch: attribute bits") {
  BatchHeader header;
  header.attributes = 1 << 5;
  CHECK(header.is_control());
  CHECK(header.timestamp_type() == TimestampType::create);
  header.attributes = 1 << 3 | 4;
  CHECK_FALSE(header.is_control());
  CHECK(header.timestamp_type() == TimestampType::log_append);
  CHECK(header.codec() == 4);
}

TEST_CASE("record_batch: a filler is an intact batch of its offsets, with no record in it") {
  for (const int64_t count : {int64_t{1}, int64_t{7}, int64_t{1} << 31}) {
    const auto bytes = filler_batch(Offset(40), Offset(40 + count), LeaderEpoch(3));
    const BatchHeader header = read_batch_header(bytes);
    CHECK(batch_header_fault(header) == nullptr);
    CHECK(header.size_bytes() == bytes.size());
    CHECK(batch_crc_matches(bytes));
    CHECK(header.base_offset == Offset(40));
    CHECK(header.end_offset() == Offset(40 + count));
    CHECK(header.leader_epoch == LeaderEpoch(3));
    CHECK(header.record_count == 0);
    CHECK(header.max_timestamp_ms == -1);
    CHECK(header.producer.id == -1);
    Decompressor decompressor;
    auto cursor = must(RecordCursor::begin(bytes, header, decompressor));
    RecordView record;
    CHECK(!must(cursor.next(record)));
  }
}
