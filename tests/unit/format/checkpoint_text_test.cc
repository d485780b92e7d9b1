#include "core/format/checkpoint_text.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

TEST_CASE("checkpoint_text: leader-epoch-checkpoint as Kafka writes it") {
  const EpochHistory history = {
      {LeaderEpoch(0), Offset(0)}, {LeaderEpoch(3), Offset(17)}, {LeaderEpoch(4), Offset(17)}};
  const std::string text = "0\n3\n0 0\n3 17\n4 17\n";
  CHECK(write_epoch_history(history) == text);
  CHECK(must(parse_epoch_history(text)) == history);
  CHECK(write_epoch_history({}) == "0\n0\n");
  CHECK(must(parse_epoch_history("0\n0\n")).empty());
  CHECK(must(parse_epoch_history("0\n1\n0 0")) == EpochHistory{{LeaderEpoch(0), Offset(0)}});  // no last newline
}

TEST_CASE("checkpoint_text: recovery-point-offset-checkpoint as Kafka writes it") {
  const OffsetCheckpoint offsets = {{{"orders", PartitionId(0)}, Offset(42)},
                                    {{"orders-eu", PartitionId(11)}, Offset(7)}};
  const std::string text = "0\n2\norders 0 42\norders-eu 11 7\n";
  CHECK(write_offset_checkpoint(offsets) == text);
  const OffsetLines lines = read_offset_lines(text), none = read_offset_lines(write_offset_checkpoint({}));
  CHECK(lines.is_whole());
  CHECK(lines.offsets == offsets);
  CHECK(none.is_whole());
  CHECK(none.offsets.empty());
}

TEST_CASE("checkpoint_text: malformed checkpoints are corrupt, and another version is another error") {
  const struct {
    const char* text;
    Errc code;
  } rows[] = {
      {"", Errc::corrupt},
      {"\n", Errc::corrupt},
      {"0", Errc::corrupt},
      {"0\n", Errc::corrupt},
      {"1\n0\n", Errc::unsupported_version},
      {"x\n0\n", Errc::unsupported_version},
      {"0\n1\n", Errc::corrupt},
      {"0\n0\n0 0\n", Errc::corrupt},
      {"0\n2\n0 0\n", Errc::corrupt},
      {"0\n-1\n", Errc::corrupt},
      {"0\nx\n", Errc::corrupt},
      {"0\n1\n0\n", Errc::corrupt},
      {"0\n1\n0 0 0 0\n", Errc::corrupt},
      {"0\n1\n0  0\n", Errc::corrupt},
      {"0\n1\n 0 0\n", Errc::corrupt},
      {"0\n1\n-1 0\n", Errc::corrupt},
      {"0\n1\n0 -1\n", Errc::corrupt},
      {"0\n1\n0 x\n", Errc::corrupt},
      {"0\n1\n2147483648 0\n", Errc::corrupt},
      {"0\n1\n0 9223372036854775808\n", Errc::corrupt},
      {"0\n2\n1 5\n1 9\n", Errc::corrupt},  // epochs ascend
      {"0\n2\n2 5\n1 9\n", Errc::corrupt},
      {"0\n2\n1 5\n2 4\n", Errc::corrupt},  // and so do offsets
      {"0\r\n1\r\n0 0\r\n", Errc::unsupported_version},
      {"0\n1\n0 0\n\n", Errc::corrupt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(code_of(parse_epoch_history(row.text)) == row.code);
  }
  for (const char* text : {"", "0\n1\n", "0\n1\nt 0\n", "0\n1\nt 0 0 0\n", "0\n1\nt -1 0\n", "0\n1\nt 0 -1\n",
                           "0\n1\nt x 0\n", "0\n1\nt 2147483648 0\n"}) {
    CAPTURE(text);
    CHECK_FALSE(read_offset_lines(text).is_whole());
  }
}

TEST_CASE("checkpoint_text: the epoch of an offset") {
  const EpochHistory history = {{LeaderEpoch(1), Offset(10)}, {LeaderEpoch(4), Offset(20)}};
  CHECK(epoch_at(history, Offset(9)) == LeaderEpoch(-1));
  CHECK(epoch_at(history, Offset(10)) == LeaderEpoch(1));
  CHECK(epoch_at(history, Offset(19)) == LeaderEpoch(1));
  CHECK(epoch_at(history, Offset(20)) == LeaderEpoch(4));
  CHECK(epoch_at(history, Offset(INT64_MAX)) == LeaderEpoch(4));
  CHECK(epoch_at({}, Offset(0)) == LeaderEpoch(-1));
}

TEST_CASE("checkpoint_text: opening an epoch drops those that got no records") {
  EpochHistory history = {{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(10)}, {LeaderEpoch(2), Offset(20)}};
  open_epoch(history, LeaderEpoch(3), Offset(20));
  CHECK(history ==
        EpochHistory{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(10)}, {LeaderEpoch(3), Offset(20)}});
  open_epoch(history, LeaderEpoch(5), Offset(12));  // the log was cut
  CHECK(history ==
        EpochHistory{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(10)}, {LeaderEpoch(5), Offset(12)}});
  open_epoch(history, LeaderEpoch(6), Offset(0));
  CHECK(history == EpochHistory{{LeaderEpoch(6), Offset(0)}});
  CHECK(must(parse_epoch_history(write_epoch_history(history))) == history);
}

TEST_CASE("checkpoint_text: an epoch without records hides no lower one whose records are copied to its place") {
  const auto entry = [](int32_t epoch, int64_t start) { return EpochStart{LeaderEpoch(epoch), Offset(start)}; };
  const EpochStart one = entry(1, 0), three = entry(3, 10), five = entry(5, 20);
  const EpochHistory history = {one, three, five};
  struct Row {
    int32_t epoch;
    int64_t offset;
    EpochHistory after;
  };
  for (const Row& row :
       {Row{6, 30, {one, three, five, entry(6, 30)}}, Row{6, 20, {one, three, entry(6, 20)}}, Row{5, 30, history},
        Row{5, 20, history}, Row{4, 20, {one, three, entry(4, 20)}}, Row{3, 20, {one, three}}, Row{3, 30, history},
        Row{5, 15, {one, three, entry(5, 15)}}, Row{3, 5, {one, entry(3, 5)}}, Row{1, 10, {one}}}) {
    CAPTURE(row.epoch);
    CAPTURE(row.offset);
    const EpochHistory after = with_batch(history, LeaderEpoch(row.epoch), Offset(row.offset));
    CHECK(after == row.after);
    CHECK(must(parse_epoch_history(write_epoch_history(after))) == after);
  }
  CHECK(with_batch({}, LeaderEpoch(0), Offset(0)) == EpochHistory{entry(0, 0)});
}

TEST_CASE("checkpoint_text: partition.metadata and meta.properties") {
  SeededRandom random;
  const Uuid id = random.uuid();
  CHECK(write_partition_metadata(id) == "version: 0\ntopic_id: " + uuid_text(id) + "\n");
  CHECK(must(parse_partition_metadata(write_partition_metadata(id))) == id);
  CHECK(must(parse_partition_metadata("version: 0\ntopic_id: " + uuid_text(id))) == id);
  CHECK(code_of(parse_partition_metadata("version: 1\ntopic_id: " + uuid_text(id))) == Errc::unsupported_version);
  for (const std::string text : {"", "version: 0\n", "topic_id: x\nversion: 0\n", "version: 0\ntopic_id: short\n",
                                 "version 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA\n"}) {
    CAPTURE(text);
    CHECK(code_of(parse_partition_metadata(text)) == Errc::corrupt);
  }
  CHECK(write_meta_properties(BrokerId(3), id) == "version=1\nbroker.id=3\ncluster.id=" + uuid_text(id) + "\n");
}
