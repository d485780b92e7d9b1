#include "core/local/replicated_writer.h"

#include <fmt/format.h>

#include <functional>

#include "core/format/path_names.h"
#include "core/log/compaction.h"
#include "tests/support/printing.h"
#include "tests/support/test_cluster.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

constexpr int64_t kProducer = 17;

// A producer of records that are batches of their own.
class Sender {
 public:
  explicit Sender(TestCluster& cluster, ReplicatedWriter::Options options = {}, int64_t producer = kProducer)
      : writer(cluster.client(), cluster.topic(), PartitionId(0), options, producer,
               [this](Offset base, int32_t count) -> Result<> {
                 done += fmt::format("{}{}", done.empty() ? "" : " ", base.value);
                 PG_ASSERT(count == 1);
                 return {};
               }) {
    must(writer.open());
  }
  Result<Offset> try_send(const std::string& value) {
    TestBatch batch({value});
    return writer.append(batch.bytes(writer.next_stamp()), 1);
  }
  void send(const std::string& value) { must(try_send(value)); }

  ReplicatedWriter writer;
  std::string done;  // base offsets
};

struct Filled : TestCluster {
  explicit Filled(const ConfigMap& topic_config = {}) { create(topic_config); }
  // What consumers see at the leader.
  std::string read() { return contents(*open(partition().leader.value)); }
  std::string leaders() { return status().substr(0, status().find(" isr")); }
  void kill_all() {
    for (const int32_t broker : {0, 1, 2}) kill(broker);
  }
  // Nobody copies what the leader gets, and nobody notices.
  void hold_followers() {
    for (const int32_t broker : {1, 2}) {
      freeze(broker);
      health[BrokerId(broker)] = BrokerHealth::running;
    }
  }
  void release_followers() {
    for (const int32_t broker : {1, 2}) thaw(broker);
  }
  // The leader's broker dies, and its files cannot be read any more. The followers have nothing open either.
  void lose_leader() {
    kill_all();
    must(env.files.rename(directory(0), directory(0) + "-away"));
    start(1);
    start(2);
  }
};

}  // namespace

TEST_CASE("replicated_writer: a batch is done when those have it whom acks name, on their disks where that is wanted") {
  struct Row {
    Acks acks;
    bool flush;
    const char *sent, *settled;  // what is done then
    int64_t committed, flushed;  // once all is done
  };
  const Row rows[] = {
      {Acks::none, false, "0", "0", 0, 0}, {Acks::leader, false, "0", "0", 0, 0}, {Acks::all, false, "", "0", 1, 0},
      {Acks::none, true, "", "", 0, 1},    {Acks::leader, true, "", "", 0, 1},    {Acks::all, true, "", "", 1, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.acks));
    CAPTURE(row.flush);
    Filled cluster;
    Sender sender(cluster, {.acks = row.acks, .flush = row.flush});
    sender.send("x");
    CHECK(sender.done == row.sent);
    CHECK(sender.writer.has_open() == (*row.sent == '\0'));
    must(sender.writer.settle(false));
    CHECK(sender.done == row.settled);
    must(sender.writer.settle(true));
    CHECK(sender.done == "0");
    CHECK_FALSE(sender.writer.has_open());
    CHECK(cluster.high_watermark(0) >= Offset(row.committed));
    CHECK(cluster.open(0)->current_state()->page().flushed >= row.flushed);
    if (row.acks == Acks::all && row.flush) CHECK(cluster.open(0)->current_state()->flushed_everywhere() == Offset(1));
  }
}

TEST_CASE("replicated_writer: batches are done in their order") {
  Filled cluster;
  Sender sender(cluster);
  for (int i = 0; i < 5; ++i) sender.send(std::to_string(i));
  must(sender.writer.settle(true));
  CHECK(sender.done == "0 1 2 3 4");
  sender.send("5");
  must(sender.writer.settle(true));
  CHECK(sender.done == "0 1 2 3 4 5");
  CHECK(cluster.read() == numbers(0, 6));
}

TEST_CASE("replicated_writer: after an election, what survived is done, and nothing is there twice") {
  for (const bool flush : {false, true}) {
    Filled cluster;
    Sender sender(cluster, {.flush = flush});
    cluster.hold_followers();
    for (int i = 0; i < 3; ++i) sender.send(std::to_string(i));
    cluster.kill(0);
    must(cluster.control());
    cluster.release_followers();  // they copy the dead leader's files
    must(sender.writer.settle(true));
    CHECK(sender.done == "0 1 2");
    sender.send("3");
    must(sender.writer.settle(true));
    cluster.settle();
    CHECK(cluster.read() == numbers(0, 4));
    CHECK(cluster.leaders() == "leader 1 epoch 1");
  }
}

TEST_CASE("replicated_writer: after an election, what is lost is sent again, in its order and once") {
  Filled cluster;
  Sender sender(cluster);
  sender.send("0");
  must(sender.writer.settle(false));
  sender.send("1");
  cluster.settle();  // on all, though nobody has told the writer
  cluster.hold_followers();
  for (int i = 2; i < 5; ++i) sender.send(std::to_string(i));
  cluster.lose_leader();
  must(sender.writer.settle(true));
  CHECK(sender.done == "0 1 2 3 4");
  cluster.settle();
  CHECK(cluster.read() == numbers(0, 5));
}

TEST_CASE("replicated_writer: where another producer was faster at the new leader, offsets change and records do not") {
  Filled cluster;
  Sender sender(cluster);
  cluster.hold_followers();
  sender.send("mine");
  cluster.lose_leader();
  cluster.settle();
  Sender other(cluster, {}, kProducer + 1);
  other.send("other");
  must(other.writer.settle(true));
  must(sender.writer.settle(true));
  CHECK(other.done == "0");
  CHECK(sender.done == "1");
  CHECK(cluster.read() == "0:other 1:mine");
}

TEST_CASE("replicated_writer: a batch that retention has deleted at the new leader was committed, and is done") {
  for (const int64_t start : {1, 3, 4}) {
    CAPTURE(start);
    Filled cluster;
    Sender sender(cluster);
    for (int i = 0; i < 3; ++i) sender.send(std::to_string(i));
    cluster.settle();  // on all, though nobody has told the writer
    cluster.kill(0);
    must(cluster.control());
    Sender other(cluster, {}, kProducer + 1);
    other.send("3");
    must(other.writer.settle(true));
    must(cluster.open(1)->raise_log_start(Offset(start), cluster.env.soon()));
    must(sender.writer.settle(true));
    CHECK(sender.done == "0 1 2");
    sender.send("4");
    must(sender.writer.settle(true));
    CHECK(sender.done == "0 1 2 4");
    cluster.settle();
    CHECK(contents(*cluster.open(1), start) == numbers(start, 5));
  }
}

TEST_CASE("replicated_writer: a batch that compaction has taken away at the new leader is done, and not sent again") {
  Filled cluster({{"cleanup.policy", "compact"}, {"segment.bytes", "1024"}, {"min.cleanable.dirty.ratio", "0"}});
  Sender sender(cluster);
  for (int i = 0; i < 60; ++i) {
    BatchBuilder builder;
    REQUIRE(builder.add({.key = "k", .value = std::to_string(i)}, 1000, kBatchBytesMax));
    must(sender.writer.append(builder.finish(nullptr, sender.writer.next_stamp()), 1));
  }
  cluster.settle();
  cluster.kill(0);
  must(cluster.control());
  cluster.step(1);
  cluster.step(2);
  cluster.step(1);
  const auto leader = cluster.open(1);
  REQUIRE(must(compact_log(*leader, cluster.env.clock().wall_ms(), cluster.env.soon())).records > 0);
  must(sender.writer.settle(true));
  CHECK(sender.done.ends_with(" 58 59"));
  CHECK(leader->current_state()->position().log_end == Offset(60));
}

TEST_CASE("replicated_writer: where nobody can know what became of a batch, it says so") {
  Filled cluster;
  Sender sender(cluster);
  for (int i = 0; i < 3; ++i) sender.send(std::to_string(i));
  cluster.settle();
  cluster.kill(0);
  must(cluster.control());
  Sender other(cluster, {}, kProducer + 1);
  other.send("3");
  must(other.writer.settle(true));
  cluster.settle();
  must(cluster.open(1)->raise_log_start(Offset(4), cluster.env.soon()));
  cluster.kill(1);
  must(cluster.control());
  cluster.settle();
  // A copy that was begun after all that was deleted.
  must(cluster.env.files.replace(names::epoch_checkpoint(cluster.directory(2)),
                                 write_epoch_history({{LeaderEpoch(2), Offset(4)}})));
  must(cluster.open(2)->raise_log_start(Offset(4), cluster.env.soon()));
  const auto settled = sender.writer.settle(true);
  REQUIRE_FALSE(settled);
  CHECK(settled.error().code == Errc::timed_out);
  CHECK(settled.error().what == fmt::format("the leader of '{}' changed, and the new one has deleted offsets 0 to 0: "
                                            "the records there may have been written",
                                            cluster.open(2)->name()));
  CHECK(sender.done == "");
}

TEST_CASE("replicated_writer: an append finds the new leader, however often there is another one") {
  Filled cluster;
  Sender sender(cluster);
  for (int i = 0; i < 8; ++i) {
    sender.send(std::to_string(i));
    if (i % 2 == 0) must(sender.writer.settle(i % 4 == 0));
    const int32_t leader = cluster.partition().leader.value;
    cluster.kill(leader);
    if (i % 3 == 0) cluster.settle();
    sender.send(std::to_string(i) + "b");
    cluster.start(leader);
    cluster.settle();
  }
  must(sender.writer.settle(true));
  CHECK(sender.done == "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
  CHECK(cluster.read() == "0:0 1:0b 2:1 3:1b 4:2 5:2b 6:3 7:3b 8:4 9:4b 10:5 11:5b 12:6 13:6b 14:7 15:7b");
}

TEST_CASE("replicated_writer: a frozen leader's client is told by the new epoch, whatever it had written") {
  Filled cluster;
  Sender sender(cluster);
  cluster.hold_followers();
  sender.send("0");
  cluster.freeze(0);
  cluster.release_followers();
  must(sender.writer.settle(true));
  CHECK(cluster.read() == "0:0");
  CHECK(cluster.leaders() == "leader 1 epoch 1");
}

TEST_CASE("replicated_writer: with too few in sync nothing is written, and the missing ones are named") {
  Filled cluster(ConfigMap{{"min.insync.replicas", "2"}});
  Sender sender(cluster, {.timeout = 1s});
  cluster.kill(1);
  cluster.kill(2);
  cluster.settle();
  const auto refused = sender.try_send("x");
  REQUIRE(code_of(refused) == Errc::not_durable);
  CHECK(refused.error().what ==
        fmt::format("'{}-0' has 1 of min.insync.replicas=2 replicas in sync: missing on broker 1, 2",
                    cluster.topic_name()));
  CHECK(cluster.text(0) == "");
  // It was not written, so the writer goes on when one is back.
  cluster.start(2);
  sender.send("0");
  must(sender.writer.settle(true));
  CHECK(cluster.read() == "0:0");
  // Who does not ask for all of them need not wait for all of them.
  cluster.kill(2);
  cluster.settle();
  Sender careless(cluster, {.acks = Acks::leader}, kProducer + 1);
  careless.send("1");
  must(careless.writer.settle(true));
}

TEST_CASE("replicated_writer: whoever waits when there are too few is told which, and that it may have been written") {
  Filled cluster(ConfigMap{{"min.insync.replicas", "3"}});
  Sender sender(cluster, {.timeout = 1s});
  cluster.hold_followers();
  sender.send("x");
  cluster.kill(2);
  const auto waited = sender.writer.settle(true);
  REQUIRE(code_of(waited) == Errc::not_durable);
  CHECK(waited.error().what.find("missing on broker 2; records may have been written") != std::string::npos);
  CHECK(sender.done == "");
}

TEST_CASE(
    "replicated_writer: with much under way, an append waits for what is not committed, and no longer than it may") {
  Filled cluster(ConfigMap{{"max.message.bytes", "20000000"}});
  Sender sender(cluster, {.timeout = 1s});
  sender.send("committed, and not on every disk");
  must(sender.writer.settle(false));
  REQUIRE(sender.writer.has_open());
  cluster.hold_followers();
  const std::string large(17'000'000, 'x');
  sender.send(large);
  CHECK(code_of(sender.try_send(large)) == Errc::timed_out);
  CHECK(sender.done == "");
  cluster.release_followers();
  must(sender.writer.settle(true));
  CHECK(sender.done == "0 1 2");
}

TEST_CASE("replicated_writer: with no leader in time, it says so, and every later call does") {
  Filled cluster;
  Sender sender(cluster, {.timeout = 1s});
  cluster.hold_followers();
  sender.send("x");
  cluster.kill_all();
  CHECK(code_of(sender.writer.settle(true)) == Errc::timed_out);
  const auto first = sender.try_send("y"), second = sender.try_send("z");
  REQUIRE(code_of(first) == Errc::not_leader);
  CHECK(first.error().what == fmt::format("'{}-0' has no leader: broker 0 does not run, and no other replica in sync "
                                          "can lead (see 'pg-cluster status'); "
                                          "records may have been written",
                                          cluster.topic_name()));
  CHECK(code_of(second) == Errc::not_leader);
  ReplicatedWriter other(cluster.client(), cluster.topic(), PartitionId(0), {.timeout = 1s}, kProducer, {});
  const auto opened = other.open();
  REQUIRE(code_of(opened) == Errc::not_leader);
  CHECK(opened.error().what.find("may have been written") == std::string::npos);
}

TEST_CASE("replicated_writer: when the leader's disk is full, one with room is elected, or the error comes back") {
  for (const bool others : {true, false}) {
    Filled cluster;
    Sender sender(cluster);
    if (!others) {
      cluster.kill(1);
      cluster.kill(2);
      cluster.settle();
    }
    cluster.env.files.arm({.kind = Call::write, .sys_errno = ENOSPC, .for_ever = !others});
    const auto sent = sender.try_send("0");
    cluster.env.files.disarm();
    if (!others) {
      CHECK(code_of(sent) == Errc::no_space);
      continue;
    }
    must(sent);
    must(sender.writer.settle(true));
    CHECK(cluster.read() == "0:0");
    CHECK(cluster.leaders() == "leader 1 epoch 1");
  }
}

TEST_CASE("replicated_writer: when the leader's log is lost or fails, another leader is waited for") {
  const std::pair<const char*, void (*)(Filled&)> faults[] = {
      {"lost", [](Filled& cluster) { must(cluster.env.files.remove_tree(cluster.directory(0))); }},
      {"a flush failed", [](Filled& cluster) { cluster.open(0)->current_state()->page().failed = 1; }},
      {"damaged", [](Filled& cluster) { cluster.open(0)->current_state()->page().damaged = 1; }},
  };
  for (const auto& [what, happen] : faults) {
    for (const Acks acks : {Acks::leader, Acks::all}) {
      CAPTURE(std::string(what));
      CAPTURE(static_cast<int>(acks));
      Filled cluster;
      Sender sender(cluster, {.acks = acks}), idle(cluster, {.acks = acks}, kProducer + 1);
      sender.send("0");
      cluster.settle();
      happen(cluster);
      must(sender.writer.settle(true));
      CHECK(sender.done == "0");
      sender.send("1");
      must(sender.writer.settle(true));
      must(idle.writer.settle(true));
      idle.send("2");
      must(idle.writer.settle(true));
      cluster.settle();
      CHECK(cluster.read() == numbers(0, 3));
      CHECK(cluster.status() == "leader 1 epoch 1 isr 0,1,2");
    }
  }
}

TEST_CASE("replicated_writer: what fails once at the leader is tried again, and what no broker notices comes back") {
  for (const bool for_ever : {false, true}) {
    Filled cluster;
    Sender sender(cluster, {.timeout = 60s});
    const Deadline began = cluster.env.clock().now();
    cluster.env.files.arm({.kind = Call::write, .sys_errno = EIO, .for_ever = for_ever});
    const auto sent = sender.try_send("0");
    cluster.env.files.disarm();
    if (!for_ever) {
      must(sent);
      must(sender.writer.settle(true));
      CHECK(cluster.read() == "0:0");
      continue;
    }
    REQUIRE(code_of(sent) == Errc::io);
    CHECK(sent.error().what == "injected fault");
    CHECK(cluster.env.clock().now() - began < 5s);
  }
}

TEST_CASE("replicated_writer: a batch that was written is not sent again because flush.messages failed") {
  Filled cluster(ConfigMap{{"flush.messages", "1"}});
  Sender sender(cluster, {.flush = false});
  cluster.env.files.arm({.kind = Call::sync, .sys_errno = EIO});
  sender.send("0");
  CHECK(cluster.env.files.fired() == 1);
  cluster.env.files.disarm();
  CHECK(cluster.open(0)->current_state()->page().failed == 1);
  must(sender.writer.settle(true));
  cluster.settle();
  CHECK(cluster.read() == "0:0");
  CHECK(cluster.leaders() == "leader 1 epoch 1");
}

TEST_CASE("replicated_writer: with no time left, a leader that is replaced is a time-out") {
  Filled cluster;
  Sender sender(cluster, {.timeout = 0s});
  cluster.open(0)->current_state()->page().fenced = 1;
  const auto sent = sender.try_send("x");
  REQUIRE(code_of(sent) == Errc::timed_out);
  CHECK(sent.error().what.find("no leader stayed long enough") == 0);
}

TEST_CASE("replicated_writer: when the topic goes, so does it") {
  Filled cluster;
  Sender sender(cluster);
  sender.send("x");
  must(cluster.client().delete_topic(cluster.topic_name(), cluster.env.soon()));
  CHECK(code_of(sender.try_send("y")) == Errc::not_found);
}

TEST_CASE("replicated_writer: what others wrote can be relied on once it is where acks and flush want it") {
  for (const bool flush : {false, true}) {
    Filled cluster;
    Sender other(cluster, {.acks = Acks::none, .flush = false}, kProducer + 1), sender(cluster, {.flush = flush});
    other.send("0");
    must(sender.writer.rely_on_log());
    CHECK(cluster.high_watermark(0) == Offset(1));
    if (flush) CHECK(cluster.open(0)->current_state()->flushed_everywhere() == Offset(1));
    // Also after an election, and where the log at hand is lost.
    cluster.kill(0);
    cluster.settle();
    must(sender.writer.rely_on_log());
    must(cluster.env.files.remove_tree(cluster.directory(1)));
    cluster.settle();
    must(sender.writer.rely_on_log());
    CHECK(cluster.leaders() == "leader 2 epoch 2");
  }
}
