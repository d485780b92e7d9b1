#include "core/group/group_table.h"

#include "core/log/compaction.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"

using namespace pg;

namespace {

const TopicPartition kPartition{"t", PartitionId(3)};

GroupMetadata generation(int32_t number) {
  GroupMetadata group;
  group.generation = number;
  return group;
}

CommittedOffset at(int64_t offset) { return {Offset(offset), LeaderEpoch(0), "", 1000}; }

}  // namespace

TEST_CASE("group_table: rows of groups, kept and forgotten") {
  TestHome t;
  CHECK_FALSE(must(GroupTable::open_existing(*t.home, {}, t.env.soon())));
  auto table = must(GroupTable::open(*t.home, {}, t.env.soon()));
  auto only_b = must(GroupTable::open(*t.home, "b", t.env.soon()));
  const auto write = [&](std::vector<TableRow> rows) {
    must(table.change([&]() -> Result<std::vector<TableRow>> { return rows; }, t.env.soon()));
  };
  write({offset_row("a", kPartition, at(1)), offset_row("b", kPartition, at(2))});
  write({offset_row("b", kPartition, at(3)), metadata_row("b", generation(4))});
  CHECK(table.groups().size() == 2);
  CHECK(table.group("b").offsets.by_partition.at(kPartition) == at(3));
  CHECK(table.group("b").metadata->generation == 4);
  must(only_b.catch_up(t.env.soon()));
  CHECK(only_b.groups().size() == 1);
  CHECK(only_b.group("a").offsets.by_partition.empty());
  write({offset_row("b", kPartition, {}), metadata_row("b", {})});
  must(only_b.catch_up(t.env.soon()));
  CHECK(only_b.groups().empty());
  CHECK(table.groups().size() == 1);
}

TEST_CASE("group_table: a change is decided anew where somebody was first") {
  TestHome t;
  auto one = must(GroupTable::open(*t.home, {}, t.env.soon()));
  auto other = must(GroupTable::open(*t.home, {}, t.env.soon()));
  int decided = 0;
  must(one.change(
      [&]() -> Result<std::vector<TableRow>> {
        const auto now = one.group("g").offsets.by_partition.find(kPartition);
        const int64_t next = now == one.group("g").offsets.by_partition.end() ? 1 : now->second.offset.value + 1;
        if (++decided == 1) {
          must(other.change(
              []() -> Result<std::vector<TableRow>> { return std::vector{offset_row("g", kPartition, at(10))}; },
              t.env.soon()));
        }
        return std::vector{offset_row("g", kPartition, at(next))};
      },
      t.env.soon()));
  CHECK(decided == 2);
  CHECK(one.group("g").offsets.by_partition.at(kPartition) == at(11));
}

TEST_CASE("group_table: a process that slept while deletions came and were compacted away keeps no deleted row") {
  TestHome t;
  auto sleeper = must(GroupTable::open(*t.home, {}, t.env.soon()));
  auto other = must(GroupTable::open(*t.home, {}, t.env.soon()));
  must(t.home->alter_topic(kConsumerOffsetsTable, {.set = {{"delete.retention.ms", "0"}}}, t.env.soon()));
  const auto write = [&](std::vector<TableRow> rows) {
    must(other.change([&]() -> Result<std::vector<TableRow>> { return rows; }, t.env.soon()));
  };
  write({offset_row("a", kPartition, at(1)), offset_row("b", kPartition, at(2))});
  must(sleeper.catch_up(t.env.soon()));
  CHECK(sleeper.groups().size() == 2);
  write({offset_row("a", kPartition, {})});
  const auto log = t.log(kConsumerOffsetsTable);
  for (int i = 0; i < 3; ++i) {  // the first compaction dates the deletion, a later one takes it
    must(log->roll_active(t.env.soon()));
    write({offset_row("b", kPartition, at(3 + i))});
    t.env.manual_clock.set_wall_ms(t.env.clock().wall_ms() + 1000);
    t.env.manual_clock.advance(std::chrono::seconds(1));
    must(compact_log(*log, t.env.clock().wall_ms(), t.env.soon()));
  }
  must(sleeper.catch_up(t.env.soon()));
  CHECK(sleeper.groups().size() == 1);
  CHECK(sleeper.group("b").offsets.by_partition.at(kPartition) == at(5));
}
