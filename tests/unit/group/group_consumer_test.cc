#include "core/group/group_consumer.h"

#include "core/group/group_admin.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// Membership's thread is left out: members look when the test says so, and time passes when it says so.
struct Member {
  Member(TestHome& t, const std::string& group, GroupConsumerOptions options = {}) : home(t) {
    options.membership.group = group;
    if (options.membership.topics.empty()) options.membership.topics = {"t"};
    options.membership.looks_by_itself = false;
    consumer = must(GroupConsumer::open(*t.home, std::move(options)));
  }

  // What it reads at once, delivered: "t-0@0=a".
  std::string read() {
    std::string text;
    while (const auto fetched = must(consumer->poll(home.env.clock().now()))) {
      auto records = must(FetchedRecords::begin(*fetched));
      ConsumedRecord record;
      while (must(records.next(record))) {
        text += (text.empty() ? "" : " ") + record.source->topic + "-" + std::to_string(record.source->partition.value) + "@" +
                std::to_string(record.offset.value) + "=" + std::string(record.value.value_or("null"));
      }
      consumer->delivered(*fetched->source, fetched->end(), fetched->batch.header.leader_epoch);
    }
    return text;
  }

  TestHome& home;
  std::unique_ptr<GroupConsumer> consumer;
};

// As another program would.
void write_offset(TestHome& t, const std::string& group, int64_t offset) {
  auto table = must(GroupTable::open(*t.home, group, t.env.soon()));
  must(table.change(
      [&]() -> Result<std::vector<TableRow>> {
        return std::vector{offset_row(group, {"t", PartitionId(0)}, CommittedOffset{Offset(offset), LeaderEpoch(-1), "a note", 0})};
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
    GroupConsumerOptions options{.reset = OffsetReset::fail};
    options.membership = {.group = "g", .topics = {"t"}, .looks_by_itself = false};
    CHECK(code_of(GroupConsumer::open(*t.home, options)) == Errc::out_of_range);
  }
  SUBCASE("an offset below the log's start") {
    must(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(0)}}, t.env.soon()));
    must(t.log("t")->raise_log_start(Offset(1), t.env.soon()));
    CHECK(Member(t, "g").read() == "t-0@1=b");
    CHECK(t.env.notices().find("offset 0 is not in partition 0 of 't', which holds 1 to 2: going on at 1") != std::string::npos);
    GroupConsumerOptions options{.reset = OffsetReset::fail};
    options.membership = {.group = "g", .topics = {"t"}, .looks_by_itself = false};
    CHECK(code_of(GroupConsumer::open(*t.home, options)) == Errc::out_of_range);
    CHECK(Member(t, "g", {.reset = OffsetReset::latest}).read().empty());
  }
  SUBCASE("an offset above the end") {
    CHECK(code_of(commit_offsets(*t.home, "g", {{{"t", PartitionId(0)}, Offset(7)}}, t.env.soon())) == Errc::out_of_range);
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
  options.membership.topics = {"t", "u"};
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
  const auto to = [&](Place::Kind kind, int64_t value) { return must(plan_seek(*t.home, "g", {kind, value}, choice, t.env.soon())).at(0).to; };
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
  CHECK(t.env.notices().find("offset 0 of partition 0 of 't' was deleted before it was read: going on at 40") != std::string::npos);
  must(commit_offsets(*t.home, "f", {{{"t", PartitionId(0)}, Offset(40)}}, t.env.soon()));
  Member strict(t, "f", {.reset = OffsetReset::fail});
  delete_below(58);
  CHECK(code_of(strict.consumer->poll(t.env.clock().now())) == Errc::out_of_range);
}
