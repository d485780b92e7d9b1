#include "core/local/group_consumer.h"

#include "core/local/group_admin.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// Membership's thread is left out: members look when the test says so, and time passes when it says so.
struct Member {
  Member(TestHome& t, const std::string& group, GroupConsumerOptions options = {}) : home(t) {
    options.group = group;
    if (options.topics.empty()) options.topics = {"t"};
    consumer = must(LocalGroupConsumer::open(*t.home, std::move(options), LocalGroupConsumer::Looking::in_calls));
  }

  // What it reads at once, delivered: "t-0@0=a".
  std::string read() {
    std::string text;
    while (const auto fetched = must(consumer->poll(home.env.clock().now()))) {
      ConsumedRecord record;
      while (must(fetched->next(record))) {
        text += (text.empty() ? "" : " ") + record.source->topic + "-" +
                std::to_string(record.source->partition.value) + "@" + std::to_string(record.offset.value) + "=" +
                std::string(record.value.value_or("null"));
      }
      consumer->delivered(*fetched->source, fetched->end, fetched->leader_epoch);
    }
    return text;
  }

  TestHome& home;
  std::unique_ptr<LocalGroupConsumer> consumer;
};

// As another program would.
void write_offset(TestHome& t, const std::string& group, int64_t offset) {
  auto table = must(GroupTable::open(*t.home, group, t.env.soon()));
  must(table.change(
      [&]() -> Result<std::vector<TableRow>> {
        return std::vector{
            offset_row(group, {"t", PartitionId(0)}, CommittedOffset{Offset(offset), LeaderEpoch(-1), "a note", 0})};
      },
      t.env.soon()));
}

int64_t lag(TestHome& t, const std::string& group) {
  int64_t sum = 0;
  for (const auto& each : must(describe_group(*t.home, group, {}, t.env.soon())).partitions) sum += each.lag();
  return sum;
}

}  // namespace

TEST_CASE("group_consumer: what was committed is not read again, what was not is") {
  TestHome t;
  t.create("t");
  t.produce("t", {"a", "b", "c"});
  {
    Member member(t, "g");
    CHECK(member.read() == "t-0@0=a t-0@1=b t-0@2=c");
    CHECK(lag(t, "g") == 3);
    must(member.consumer->leave());
    CHECK(lag(t, "g") == 0);
  }
  t.produce("t", {"d"});
  {
    Member member(t, "g");
    CHECK(member.read() == "t-0@3=d");
    // Killed: nothing was committed.
  }
  Member member(t, "g");
  CHECK(member.read() == "t-0@3=d");
  must(member.consumer->commit());
  CHECK(lag(t, "g") == 0);
}

TEST_CASE("group_consumer: without follow it ends at the ends that it saw") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a"}, 0);
  Member member(t, "g");
  t.produce("t", {"late"}, 1);
  CHECK(member.read() == "t-0@0=a");
  CHECK(member.consumer->at_end());
  must(member.consumer->leave());
  CHECK(Member(t, "g").read() == "t-1@0=late");
}

TEST_CASE("group_consumer: --reset decides where a group begins, and where its offset is gone") {
  TestHome t;
  t.create("t", 1, {{"segment.bytes", "1024"}});
  t.produce("t", {"a", "b"});
  SUBCASE("latest begins at the end, also for what comes before the first record is read") {
    Member member(t, "g", {.reset = OffsetReset::latest, .follow = true});
    t.produce("t", {"c"});
    CHECK(member.read() == "t-0@2=c");
  }
  SUBCASE("fail refuses a group that has nothing committed") {
    const GroupConsumerOptions options{.group = "g", .topics = {"t"}, .reset = OffsetReset::fail};
    CHECK(code_of(LocalGroupConsumer::open(*t.home, options, LocalGroupConsumer::Looking::in_calls)) ==
          Errc::out_of_range);
  }
  SUBCASE("an offset below the log's start") {
    must(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(0)}}, t.env.soon()));
    must(t.log("t")->raise_log_start(Offset(1), t.env.soon()));
    CHECK(Member(t, "g").read() == "t-0@1=b");
    CHECK(t.env.notices().find("offset 0 is not in partition 0 of 't', which holds 1 to 2: going on at 1") !=
          std::string::npos);
    const GroupConsumerOptions options{.group = "g", .topics = {"t"}, .reset = OffsetReset::fail};
    CHECK(code_of(LocalGroupConsumer::open(*t.home, options, LocalGroupConsumer::Looking::in_calls)) ==
          Errc::out_of_range);
    CHECK(Member(t, "g", {.reset = OffsetReset::latest}).read().empty());
  }
  SUBCASE("an offset above the end") {
    CHECK(code_of(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(7)}}, t.env.soon())) ==
          Errc::out_of_range);
    write_offset(t, "g", 7);
    CHECK(Member(t, "g").read() == "t-0@0=a t-0@1=b");
  }
}

TEST_CASE("group_consumer: latest reads partitions that are added later from their first record on") {
  TestHome t;
  t.create("t", 1);
  t.produce("t", {"old"});
  {
    Member member(t, "g", {.reset = OffsetReset::latest});
    CHECK(member.read().empty());
    must(member.consumer->leave());
  }
  must(t.home->alter_topic("t", {.partitions = 2}, t.env.soon()));
  t.produce("t", {"first"}, 1);
  CHECK(Member(t, "g", {.reset = OffsetReset::latest}).read() == "t-1@0=first");
}

TEST_CASE("group_consumer: a partition is read by one member at a time, and changes hands after a commit") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a", "b"}, 0);
  t.produce("t", {"c", "d"}, 1);
  Member one(t, "g", {.follow = true});
  CHECK(one.read() == "t-0@0=a t-1@0=c t-0@1=b t-1@1=d");
  Member two(t, "g", {.follow = true});
  CHECK(two.read().empty());  // the other has not let go
  t.produce("t", {"e"}, 0);
  t.produce("t", {"f"}, 1);
  const std::string by_one = one.read(), by_two = two.read();
  CHECK(by_one != by_two);
  CHECK((by_one == "t-0@2=e" || by_one == "t-1@2=f"));
  CHECK((by_two == "t-0@2=e" || by_two == "t-1@2=f"));
  must(two.consumer->leave());
  t.produce("t", {"g"}, 0);
  t.produce("t", {"h"}, 1);
  CHECK(one.read() == "t-0@3=g t-1@3=h");
}

TEST_CASE("group_consumer: a member that died is noticed, and its partitions are read from its last commit on") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a"}, 0);
  t.produce("t", {"b"}, 1);
  auto one = std::make_unique<Member>(t, "g", GroupConsumerOptions{.follow = true});
  CHECK(one->read() == "t-0@0=a t-1@0=b");
  must(one->consumer->commit());
  t.produce("t", {"c"}, 0);
  CHECK(one->read() == "t-0@1=c");  // and is not committed
  one.reset();
  Member two(t, "g", {.follow = true});
  CHECK(two.read() == "t-0@1=c");
}

TEST_CASE("group_consumer: a group that is moved while it reads goes on from there") {
  TestHome t;
  t.create("t");
  t.produce("t", {"a", "b", "c"});
  Member member(t, "g", {.follow = true});
  CHECK(member.read() == "t-0@0=a t-0@1=b t-0@2=c");
  const Place start{};
  CHECK(code_of(seek_group(*t.home, "g", start, {}, LiveGroup::refuse, t.env.soon())) == Errc::busy);
  must(seek_group(*t.home, "g", {Place::Kind::offset, 1}, {}, LiveGroup::fence, t.env.soon()));
  CHECK(code_of(member.consumer->commit()) == Errc::fenced);
  CHECK(member.read() == "t-0@1=b t-0@2=c");
  must(member.consumer->commit());
  CHECK(lag(t, "g") == 0);
}

TEST_CASE("group_consumer: a group that is moved while a member takes a partition over is read from there once") {
  TestHome t;
  t.create("t", 2);
  for (const int32_t partition : {0, 1}) t.produce("t", {"a", "b", "c"}, partition);
  bool move = false;
  GroupConsumerOptions options{.follow = true};
  options.release = [&](const TopicPartition&) -> Result<> {
    if (!std::exchange(move, false)) return {};
    must(seek_group(*t.home, "g", {Place::Kind::before_end, 1}, {}, LiveGroup::fence, t.env.soon()));
    return {};
  };
  Member member(t, "g", options);
  CHECK(member.read() == "t-0@0=a t-1@0=a t-0@1=b t-1@1=b t-0@2=c t-1@2=c");
  must(member.consumer->commit());
  const auto other =
      must(Membership::join(*t.home, {.group = "g", .topics = {"t"}, .looks_by_itself = false}, t.env.soon()));
  CHECK(member.read().empty());
  auto table = must(GroupTable::open(*t.home, "g", t.env.soon()));
  must(table.change(
      [&]() -> Result<std::vector<TableRow>> {
        GroupMetadata group = *table.group("g").metadata;
        std::swap(group.members[0].assignment, group.members[1].assignment);
        return std::vector{metadata_row("g", group)};
      },
      t.env.soon()));
  move = true;  // between its look at the group and its reading of what is committed
  CHECK(member.read() == "t-0@2=c t-1@2=c");
  must(member.consumer->leave());
  CHECK(lag(t, "g") == 0);
}

TEST_CASE("group_consumer: records that recovery cut are not skipped") {
  TestHome t;
  t.create("t");
  auto writer = t.producer("t", {.batch_bytes = 1, .flush = FlushMode::never});
  for (const auto* value : {"a", "b", "c"}) must(writer->send({.value = value}));
  must(writer->close());
  writer.reset();
  must(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(3), LeaderEpoch(0)}}, t.env.soon()));
  // The power went before c was on the disk; then others were written in its place.
  const std::string file = t.path + "/brokers/0/t-0/00000000000000000000.log";
  const auto size = size_of(t.env.files, file);
  must(must(t.env.files.open(file, OpenMode::write))->truncate(size - 5));
  t.env.reboot();
  t.home = must(Home::open(t.env.env(), t.path));
  t.produce("t", {"x", "y"});
  CHECK(Member(t, "g").read() == "t-0@2=x t-0@3=y");
  CHECK(t.env.notices().find("goes back from 3 to 2") != std::string::npos);
}

TEST_CASE("group_consumer: records that recovery cut are not skipped, also where the log begins later by now") {
  TestHome t;
  t.create("t", 1, {{"segment.bytes", "1024"}});
  auto writer = t.producer("t", {.batch_bytes = 1, .flush = FlushMode::never});
  for (const auto* value : {"a", "b", "c"}) must(writer->send({.value = value}));
  must(writer->close());
  writer.reset();
  must(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(3), LeaderEpoch(0)}}, t.env.soon()));
  const std::string file = t.path + "/brokers/0/t-0/00000000000000000000.log";
  must(must(t.env.files.open(file, OpenMode::write))->truncate(0));
  t.env.reboot();
  t.home = must(Home::open(t.env.env(), t.path));
  t.produce("t", {"v", "w", "x", "y", "z"});
  must(t.log("t")->raise_log_start(Offset(2), t.env.soon()));
  CHECK(Member(t, "g").read() == "t-0@2=x t-0@3=y t-0@4=z");
}

namespace {

// "t" of these batches, of which a power cut leaves the first `kept`; then others are written in their place.
struct CutLog : TestHome {
  CutLog() { create("t"); }
  void write(const std::vector<std::string>& values) {
    const auto writer = producer("t", {.batch_bytes = 1, .flush = FlushMode::never});
    for (const auto& value : values) must(writer->send({.value = value}));
    must(writer->close());
    if (first_size_ == 0) first_size_ = size_of(env.files, file_);
  }
  // Back to what the first write() left, with the page gone.
  void cut() {
    must(must(env.files.open(file_, OpenMode::write))->truncate(first_size_));
    must(env.files.unlink(path + "/brokers/0/t-0/partition.state"));
  }
  std::vector<OffsetChange> commit(int64_t next, int32_t epoch) {
    return must(commit_offsets(*home, "g", {{{"t", PartitionId(0)}, Offset(next), LeaderEpoch(epoch)}}, env.soon()));
  }

 private:
  uint64_t first_size_ = 0;
  const std::string file_ = path + "/brokers/0/t-0/00000000000000000000.log";
};

}  // namespace

TEST_CASE(
    "group_consumer: an offset of an epoch that the log has lost counts as where that epoch ended, for everybody") {
  CutLog t;
  t.write({"a", "b"});
  t.write({"c", "d", "e"});
  REQUIRE(t.commit(5, 0).size() == 1);
  t.cut();
  t.produce("t", {"x"});
  CHECK(lag(t, "g") == 1);
  const auto described = must(describe_group(*t.home, "g", {}, t.env.soon()));
  CHECK(described.partitions[0].committed->offset == Offset(2));
  // From there, not from 5.
  CHECK(must(plan_seek(*t.home, "g", {Place::Kind::before_end, 1}, {}, t.env.soon()))[0].to == Offset(1));
  CHECK(must(plan_seek(*t.home, "g", {Place::Kind::after_start, 1}, {}, t.env.soon()))[0].to == Offset(3));
  // What somebody has read of the lost records is committed as far as they are there.
  CHECK(t.commit(4, 0).empty());
  // The first of this history is further than 5 of the other one.
  const auto changes = t.commit(3, 1);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].from == Offset(2));
  CHECK(changes[0].to == Offset(3));
  CHECK(lag(t, "g") == 0);
}

TEST_CASE(
    "group_consumer: a member whose log is cut while it reads goes back, and commits no further than it has read of "
    "this log") {
  CutLog t;
  t.write({"a", "b"});
  t.write({"c", "d", "e"});
  std::string released;
  GroupConsumerOptions options{.follow = true};
  options.release = [&](const TopicPartition& partition) -> Result<> {
    released += partition.topic;
    return {};
  };
  Member member(t, "g", options);
  CHECK(member.read() == "t-0@0=a t-0@1=b t-0@2=c t-0@3=d t-0@4=e");
  SUBCASE("committed") { must(member.consumer->commit()); }
  SUBCASE("not committed") {}
  t.cut();
  CHECK_FALSE(must(member.consumer->poll(t.env.clock().after(1s))));  // it lets go of the page
  t.produce("t", {"x"});
  CHECK(member.read() == "t-0@2=x");
  CHECK(released == "t");
  must(member.consumer->commit());
  CHECK(must(describe_group(*t.home, "g", {}, t.env.soon())).partitions[0].committed->offset == Offset(3));
  t.produce("t", {"y", "z"});
  CHECK(member.read() == "t-0@3=y t-0@4=z");
  // The same offset as before, of another epoch.
  must(member.consumer->commit());
  CHECK(lag(t, "g") == 0);
  must(member.consumer->leave());
  CHECK(Member(t, "g").read() == "");
}

TEST_CASE("group_consumer: a topic that was made again is another one, and is read from its start") {
  TestHome t;
  t.create("t");
  t.produce("t", {"a", "b"});
  {
    Member member(t, "g");
    CHECK(member.read() == "t-0@0=a t-0@1=b");
    must(member.consumer->leave());
  }
  must(t.home->delete_topic("t", t.env.soon()));
  t.create("t");
  t.produce("t", {"c", "d", "e"});
  CHECK(lag(t, "g") == 3);
  Member member(t, "g");
  CHECK(member.read() == "t-0@0=c t-0@1=d t-0@2=e");
  must(member.consumer->leave());
  CHECK(lag(t, "g") == 0);
}

TEST_CASE("group_consumer: a topic that is deleted ends it, also where it has no partition of it") {
  TestHome t;
  t.create("t");
  t.create("u");
  GroupConsumerOptions options{.follow = true};
  options.topics = {"t", "u"};
  Member one(t, "g", options), spare(t, "g", options), idle(t, "g", options);
  CHECK(one.read().empty());
  CHECK(idle.read().empty());
  must(t.home->delete_topic("u", t.env.soon()));
  CHECK(code_of(idle.consumer->poll(t.env.clock().now())) == Errc::not_found);
}

TEST_CASE("group_consumer: who is taken out just when it gives a partition up joins again") {
  TestHome t;
  t.create("t", 2);
  t.produce("t", {"a"}, 0);
  t.produce("t", {"b"}, 1);
  Member one(t, "g", {.follow = true});
  CHECK(one.read() == "t-0@0=a t-1@0=b");
  Member two(t, "g", {.follow = true});
  must(one.consumer->commit());
  must(seek_group(*t.home, "g", {}, {}, LiveGroup::fence, t.env.soon()));
  CHECK(one.read() == "t-0@0=a t-1@0=b");
}

TEST_CASE("group_consumer: places that nobody can count to are the start and the end") {
  TestHome t;
  t.create("t");
  t.produce("t", {"a", "b", "c"});
  const std::vector<PartitionChoice> choice = {{"t", {}}};
  const auto to = [&](Place::Kind kind, int64_t value) {
    return must(plan_seek(*t.home, "g", {kind, value}, choice, t.env.soon())).at(0).to;
  };
  CHECK(to(Place::Kind::after_start, INT64_MAX) == Offset(3));
  CHECK(to(Place::Kind::before_end, INT64_MAX) == Offset(0));
  CHECK(to(Place::Kind::offset, INT64_MAX) == Offset(3));
}

TEST_CASE("group_consumer: records that are deleted before a member has read them are passed over, and said") {
  TestHome t;
  t.create("t", 1, {{"segment.bytes", "1024"}});
  std::vector<std::string> values(60, std::string(50, 'v'));
  t.produce("t", values);
  const auto log = t.log("t");
  const auto delete_below = [&](int64_t offset) {
    must(log->raise_log_start(Offset(offset), t.env.soon()));
    must(log->delete_old_segments(std::chrono::milliseconds(0), t.env.soon()));
  };
  must(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(0)}}, t.env.soon()));
  Member member(t, "g");
  delete_below(40);
  CHECK(member.read().starts_with("t-0@40="));
  CHECK(t.env.notices().find("offset 0 of partition 0 of 't' was deleted before it was read: going on at 40") !=
        std::string::npos);
  must(commit_offsets(*t.home, "f", {{{"t", PartitionId(0)}, Offset(40)}}, t.env.soon()));
  Member strict(t, "f", {.reset = OffsetReset::fail});
  delete_below(58);
  CHECK(code_of(strict.consumer->poll(t.env.clock().now())) == Errc::out_of_range);
}
