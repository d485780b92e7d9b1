#include "core/format/producer_snapshot.h"

#include "tests/support/golden.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

ProducerEntries some_entries() {
  return {{7, {0, 41, Offset(1000), 9, 1'700'000'000'000, -1, -1}},
          {(int64_t{1} << 62) - 1, {3, INT32_MAX, Offset(int64_t{1} << 40), 0, -1, 5, 17}}};
}

}  // namespace

TEST_CASE("producer_snapshot: comes back as it was written, and its bytes never change") {
  const std::string bytes = write_producer_snapshot(some_entries());
  CHECK(must(parse_producer_snapshot(bytes)) == some_entries());
  CHECK(must(parse_producer_snapshot(write_producer_snapshot({}))).empty());
  CHECK(hex(bytes) == golden_hex("producer_snapshot.hex", bytes));
}

TEST_CASE("producer_snapshot: one that is cut or has another byte is refused") {
  const std::string bytes = write_producer_snapshot(some_entries());
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(code_of(parse_producer_snapshot(bytes.substr(0, size))) == Errc::corrupt);
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    CHECK(code_of(parse_producer_snapshot(changed)) == Errc::corrupt);
  }
  CHECK(code_of(parse_producer_snapshot(bytes + "x")) == Errc::corrupt);
}

TEST_CASE("producer_snapshot: an entry tells how many records of the producer there were") {
  BatchHeader header;
  header.base_offset = Offset(100);
  header.last_offset_delta = 4;
  header.max_timestamp_ms = 1234;
  header.producer = ProducerStamp::of(9, 10);
  ProducerEntries entries;
  note_batch(entries, header);
  const ProducerEntry& entry = entries.at(9);
  CHECK(entry == ProducerEntry{0, 14, Offset(104), 4, 1234, -1, -1});
  CHECK(entry.end_count() == 15);
  // Kafka's clients may let a sequence wrap inside a batch.
  header.producer.sequence = INT32_MAX - 1;
  note_batch(entries, header);
  CHECK(entry.last_sequence == 2);
}

TEST_CASE("producer_snapshot: a transaction is open from its first batch to its marker, which counts no record") {
  BatchHeader data;
  data.attributes = 1 << 4;
  data.base_offset = Offset(100);
  data.record_count = 1;
  data.producer = {9, 0, 10};
  ProducerEntries entries;
  note_batch(entries, data);
  data.base_offset = Offset(105);
  data.producer.sequence = 11;
  note_batch(entries, data);
  CHECK(entries.at(9).transaction_first_offset == 100);
  BatchHeader marker;
  marker.attributes = 1 << 4 | 1 << 5;
  marker.base_offset = Offset(110);
  marker.record_count = 1;
  marker.producer = {9, 0, -1};
  note_batch(entries, marker, ControlRecord{.type = 3});
  CHECK(entries.at(9).in_transaction());
  note_batch(entries, marker, ControlRecord{.type = ControlRecord::kAbort, .coordinator_epoch = 4});
  CHECK_FALSE(entries.at(9).in_transaction());
  CHECK(entries.at(9).coordinator_epoch == 4);
  CHECK(entries.at(9).last_sequence == 11);
  CHECK(entries.at(9).last_offset == Offset(105));
  // Fenced: the next epoch has no record yet.
  marker.producer.epoch = 1;
  note_batch(entries, marker, ControlRecord{.type = ControlRecord::kAbort, .coordinator_epoch = 5});
  CHECK(entries.at(9) == ProducerEntry{1, -1, Offset(-1), 0, marker.max_timestamp_ms, 5, -1});
}
