#include "core/format/control_record.h"

#include "tests/support/batch_items.h"
#include "tests/support/golden.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

// The COMMIT of this file was written by Apache Kafka 2.4.1: its producer 0 committed at offset 3.
TEST_CASE("control_record: the bytes of a marker are Kafka's") {
  auto commit = control_batch(0, 0, {.type = ControlRecord::kCommit, .coordinator_epoch = 0}, 0x1a22e3dbb64);
  stamp_batch(commit, Offset(3), LeaderEpoch(0));
  CHECK(hex(as_text(commit)) == golden_hex("control_commit.hex", as_text(commit)));
  auto abort = control_batch(7, 2, {.type = ControlRecord::kAbort, .coordinator_epoch = 5}, 1'700'000'000'000);
  stamp_batch(abort, Offset(42), LeaderEpoch(1));
  CHECK(hex(as_text(abort)) == golden_hex("control_abort.hex", as_text(abort)));
}

TEST_CASE("control_record: a marker comes back, and is neither data nor undecided") {
  for (const int16_t type : {ControlRecord::kAbort, ControlRecord::kCommit}) {
    const ControlRecord record{.type = type, .coordinator_epoch = 9};
    const auto batch = control_batch(7, 3, record, 5);
    const BatchHeader header = read_batch_header(batch);
    CHECK(batch_header_fault(header) == nullptr);
    CHECK(batch.size() == header.size_bytes());
    CHECK(batch.size() <= kControlBatchBytesMax);
    CHECK(header.is_control());
    CHECK(header.is_transactional());
    CHECK_FALSE(header.is_undecided());
    CHECK(header.producer == ProducerStamp{7, 3, -1});
    CHECK(must(read_control_batch(batch, header)) == record);
  }
}

TEST_CASE("control_record: other types are known not to end a transaction, and an emptied batch says nothing") {
  auto batch = control_batch(7, 3, {.type = 3, .coordinator_epoch = 0}, 5);
  CHECK_FALSE(must(read_control_batch(batch, read_batch_header(batch))).ends_transaction());
  batch.resize(kBatchHeaderBytes);
  BatchHeader header = read_batch_header(control_batch(7, 3, {}, 5));
  header.record_count = 0;
  write_batch_header(batch, header);
  CHECK(must(read_control_batch(batch, read_batch_header(batch))).type == ControlRecord::kEmptied);
}

TEST_CASE("control_record: what is no control record of Kafka's is refused") {
  const auto with = [](const std::vector<Item>& items) {
    Bytes batch = encode(items);
    BatchHeader header = read_batch_header(batch);
    header.attributes = 1 << 4 | 1 << 5;
    write_batch_header(batch, header);
    return code_of(read_control_batch(batch, read_batch_header(batch)));
  };
  const std::string commit("\0\0\0\1", 4), value("\0\0\0\0\0\0", 6);
  CHECK(with({{1, {}, value, {}}}) == Errc::corrupt);
  CHECK(with({{1, commit.substr(1), value, {}}}) == Errc::corrupt);
  CHECK(with({{1, commit, {}, {}}}) == Errc::corrupt);
  CHECK(with({{1, commit, value.substr(1), {}}}) == Errc::corrupt);
  CHECK(with({{1, std::string("\xff\xff\0\1", 4), value, {}}}) == Errc::corrupt);
  CHECK(with({{1, commit, value, {}}, {1, commit, value, {}}}) == Errc::corrupt);
}

TEST_CASE("control_record: any bytes are read without a crash") {
  SeededRandom random;
  const auto good = control_batch(7, 3, {.type = ControlRecord::kCommit, .coordinator_epoch = 9}, 5);
  for (int i = 0; i < 2000; ++i) {
    auto batch = good;
    for (auto n = 1 + random.below(6); n-- > 0;)
      batch[kBatchCrcStart + random.below(batch.size() - kBatchCrcStart)] = static_cast<std::byte>(random.below(256));
    const BatchHeader header = read_batch_header(batch);
    if (batch_header_fault(header) != nullptr) continue;
    if (const auto read = read_control_batch(batch, header); !read) CHECK(read.error().message() != "");
  }
}
