// What a broker does to its own replica: log_replica.cc.
#include <fmt/format.h>

#include "core/log/replica_words.h"
#include "tests/support/printing.h"
#include "tests/support/test_replica.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

const std::vector<BrokerId> kAlone{BrokerId(1)}, kBoth{BrokerId(1), BrokerId(2)};

std::string times(int count, char letter) { return std::string(static_cast<size_t>(count), letter); }

// Appends everything that `from` has and `to` has not.
void copy(TestReplica& from, TestReplica& to) {
  LogReader reader(*from, to.position().log_end);
  while (const auto batch = must(reader.next(from.position().log_end))) {
    must(to->append_replicated(batch->bytes, LeaderEpoch(to.page().leader_epoch), from.env.soon()));
  }
}

// Every file but those that are the replica's own.
std::string files_of(TestReplica& replica) {
  std::string text;
  auto names = must(replica.env.files.list(replica.directory()));
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    if (name.starts_with("partition.")) continue;
    text += name + "\n" + must(replica.env.files.read_all(replica.directory() + "/" + name)) + "\n";
  }
  return text;
}

void cut(TestReplica& replica, int64_t end) { must(replica->truncate_to(Offset(end), false, replica.env.soon())); }

void restart(TestReplica& replica, int64_t start) { must(replica->restart_at(Offset(start), replica.env.soon())); }

}  // namespace

TEST_CASE("log_replica: a follower has its leader's files, byte for byte") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestReplica leader(env, 1), follower(env, 2);
    leader.lead('a', kAlone);
    for (int64_t i = 0; i < 30; ++i)
      append(*leader, {fmt::format("{}", i), std::string(static_cast<size_t>(i * 7), 'x')}, 1000 + i % 7);
    follower.follow('a');
    copy(leader, follower);
    leader.lead('c', kAlone);
    leader.write(times(20, 'c'));
    follower.follow('c');
    copy(leader, follower);
    CHECK(leader.segments().size() > 3);
    CHECK(files_of(leader) == files_of(follower));
    CHECK(follower.epochs() == "0@0 2@60");
    CHECK(faults_of(*follower) == "");
  }
}

TEST_CASE("log_replica: one that has no role yet takes no records") {
  TestEnv env;
  TestReplica replica(env, 1);
  CHECK(replica.page().leader_epoch == -1);
  CHECK(code_of(replica.try_write('a')) == Errc::not_leader);
  CHECK(replica.epochs() == "");
}

TEST_CASE("log_replica: only a leader whose broker lives takes records, and only until it is fenced") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.lead('a', kAlone);
  replica.write("aa");
  replica.broker_lives = false;
  CHECK(code_of(replica.try_write('a')) == Errc::not_leader);
  replica.broker_lives = true;
  replica.write("a");
  replica->current_state()->fence(LeaderEpoch(1));
  CHECK(code_of(replica.try_write('a')) == Errc::fenced);
  replica.follow('b');
  CHECK(code_of(replica.try_write('b')) == Errc::not_leader);
  replica.lead('c', kAlone);
  replica.write("c");
  CHECK(replica.text() == "aaac");
}

TEST_CASE("log_replica: a batch is taken from the leader that is followed, and only if it fits") {
  TestEnv env;
  TestReplica replica(env, 2);
  const auto receive_at = [&](int64_t offset, int32_t epoch) {
    TestBatch batch({"b"});
    const MutableBytes bytes = batch.bytes();
    stamp_batch(bytes, Offset(offset), LeaderEpoch(1));
    return replica->append_replicated(bytes, LeaderEpoch(epoch), env.soon());
  };
  replica.fill("abb");
  CHECK(code_of(receive_at(2, 1)) == Errc::conflict);
  CHECK(code_of(receive_at(4, 1)) == Errc::conflict);
  CHECK(code_of(receive_at(3, 0)) == Errc::fenced);
  CHECK(code_of(receive_at(3, 2)) == Errc::fenced);
  must(receive_at(3, 1));
  replica.lead('c', kAlone);
  CHECK(code_of(receive_at(4, 2)) == Errc::fenced);
  CHECK(replica.text() == "abbb");
}

TEST_CASE("log_replica: epochs never go back") {
  TestEnv env;
  TestReplica replica(env, 1);
  const auto follow = [&](char letter) { return replica->follow(epoch_of(letter), env.soon()); };
  replica.lead('d', kAlone);
  CHECK(code_of(replica.try_lead('d', kAlone)) == Errc::fenced);
  CHECK(code_of(replica.try_lead('c', kAlone)) == Errc::fenced);
  CHECK(code_of(follow('c')) == Errc::fenced);
  replica->current_state()->fence(LeaderEpoch(6));
  CHECK(code_of(replica.try_lead('f', kAlone)) == Errc::fenced);
  must(follow('f'));  // what it was fenced for may come to nothing
  must(follow('g'));
  must(follow('g'));
  CHECK(code_of(replica.try_lead('g', kAlone)) == Errc::fenced);  // somebody else leads in it
  replica.lead('h', kAlone);
  CHECK(replica.page().fenced == 7);
}

TEST_CASE("log_replica: who begins to lead knows its replicas, and takes nobody's word of an earlier epoch") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill("aa");
  replica.page().unclean = 1;
  begin_slot(replica.page(), 0, LeaderEpoch(1), Offset(9), Offset(9));
  replica.lead('b', {BrokerId(2), BrokerId(3)}, 2);
  const StatePage& page = replica.page();
  CHECK(page.unclean == 0);
  CHECK(page.min_in_sync == 2);
  CHECK(page.own_slot == 1);
  CHECK(InSync::unpack(page.in_sync).epoch == LeaderEpoch(1));
  CHECK(InSync::unpack(page.in_sync).mask == 0b110);
  CHECK(page.slots[0].epoch == -1);
  CHECK(replica->current_state()->leads_in(LeaderEpoch(1)));
  CHECK(replica.epochs() == "0@0 1@2");
}

TEST_CASE("log_replica: one whose flush failed leads no more, and takes nothing") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aa");
  replica.page().failed = 1;
  CHECK(code_of(replica.try_lead('b', kAlone)) == Errc::io);
  CHECK(code_of(replica.try_receive('a')) == Errc::io);
}

TEST_CASE("log_replica: an epoch begins with its first batch, and goes with it") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill("aaccd");
  CHECK(replica.epochs() == "0@0 2@2 3@4");
  CHECK(replica->epochs() ==
        EpochHistory{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(2), Offset(2)}, {LeaderEpoch(3), Offset(4)}});
  cut(replica, 4);
  CHECK(replica.epochs() == "0@0 2@2");
  cut(replica, 3);
  CHECK(replica.epochs() == "0@0 2@2");
  cut(replica, 2);
  CHECK(replica.epochs() == "0@0");
  CHECK(replica->epochs() == EpochHistory{{LeaderEpoch(0), Offset(0)}});
  replica.follow('f');
  replica.receive("ef");
  CHECK(replica.epochs() == "0@0 4@2 5@3");
  CHECK(replica.text() == "aaef");
}

TEST_CASE("log_replica: an epoch that got no records gives its place to the one that is copied there") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aa");
  replica.lead('d', kAlone);
  CHECK(replica.epochs() == "0@0 3@2");
  replica.follow('e');
  replica.receive("bb");
  CHECK(replica.epochs() == "0@0 1@2");
  replica.receive("e");
  CHECK(replica.epochs() == "0@0 1@2 4@4");
}

TEST_CASE("log_replica: a cut, in one segment or across several, leaves what is below it and no other file") {
  for (const Machine machine : kEveryMachine) {
    for (const int64_t end : {49, 43, 42, 41, 29, 28, 15, 14, 13, 1, 0}) {
      CAPTURE(end);
      TestEnv env(machine);
      TestReplica replica(env, 2);
      replica.fill(times(50, 'a'));
      REQUIRE(replica.segments() == std::vector{Offset(0), Offset(14), Offset(28), Offset(42)});
      cut(replica, end);
      CHECK(replica.text() == times(static_cast<int>(end), 'a'));
      CHECK(replica.position().log_end == Offset(end));
      const auto kept = replica.segments();
      CHECK(kept.back() <= Offset(end));
      CHECK(std::cmp_equal(kept.size(), 1 + std::min<int64_t>(end, 42) / 14));
      replica.follow('c');
      replica.receive(times(20, 'c'));
      CHECK(replica.text() == times(static_cast<int>(end), 'a') + times(20, 'c'));
      CHECK(faults_of(*replica) == "");
      replica.reopen();
      CHECK(replica.text() == times(static_cast<int>(end), 'a') + times(20, 'c'));
    }
  }
}

TEST_CASE("log_replica: a cut goes back to where a batch ends") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.follow('a');
  TestBatch batch({"a", "a", "a"});
  const MutableBytes bytes = batch.bytes();
  for (const int64_t offset : {0, 3}) {
    stamp_batch(bytes, Offset(offset), LeaderEpoch(0));
    must(replica->append_replicated(bytes, LeaderEpoch(0), env.soon()));
  }
  cut(replica, 5);
  CHECK(replica.text() == "aaa");
}

TEST_CASE("log_replica: a cut at the end or beyond it does nothing") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill("aab");
  const uint64_t before = replica.page().truncations;
  cut(replica, 3);
  cut(replica, 10);
  CHECK(replica.text() == "aab");
  CHECK(replica.epochs() == "0@0 1@2");
  CHECK(replica.page().truncations == before);
}

TEST_CASE("log_replica: what is cut off counts as flushed no more, neither now nor after a restart of the machine") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill(times(30, 'a'));
  must(replica->flush(env.soon()));
  must(LogDirectory(env.env(), env.root() + "/2")
           .raise_recovery_points({{{"t", PartitionId(0)}, Offset(30)}}, env.soon()));
  cut(replica, 20);
  CHECK(replica.page().flushed == 20);
  CHECK(replica.recovery_point() == Offset(20));
  replica.receive("aa");
  CHECK(replica.page().flushed == 20);
  cut(replica, 21);  // flushed and recovery point are below
  CHECK(replica.page().flushed == 20);
  CHECK(replica.recovery_point() == Offset(20));
}

// Whoever raises the recovery point has read `flushed` before.
TEST_CASE(
    "log_replica: what was flushed raises no recovery point once it is cut off, nor once the log is another one") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill(times(30, 'a'));
  must(replica->flush(env.soon()));
  const auto state = replica->current_state();
  CHECK(state->is_flushed_to(Offset(30)));
  CHECK_FALSE(state->is_flushed_to(Offset(31)));
  cut(replica, 20);
  CHECK_FALSE(state->is_flushed_to(Offset(30)));
  CHECK(state->is_flushed_to(Offset(20)));
  must(env.files.unlink(names::partition_state(replica.directory())));
  CHECK_FALSE(state->is_flushed_to(Offset(20)));
}

TEST_CASE("log_replica: a cut that fails before the recovery point is lowered leaves nobody who would raise it") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill(times(30, 'a'));
  must(replica->flush(env.soon()));
  env.files.arm({.kind = Call::rename, .for_ever = true});
  CHECK(code_of(replica->truncate_to(Offset(20), false, env.soon())) == Errc::io);
  env.files.disarm();
  CHECK(replica.page().flushed == 20);
}

TEST_CASE("log_replica: committed records are cut only where that was decided") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill(times(30, 'a'));
  replica.page().high_watermark = 20;
  const auto refused = replica->truncate_to(Offset(19), false, env.soon());
  REQUIRE(code_of(refused) == Errc::conflict);
  CHECK(refused.error().what.find("records below 20 are committed") != std::string::npos);
  CHECK(replica.text() == times(30, 'a'));
  cut(replica, 20);
  CHECK(replica.page().high_watermark == 20);
  must(replica->truncate_to(Offset(12), true, env.soon()));
  CHECK(replica.text() == times(12, 'a'));
  CHECK(replica.page().high_watermark == 12);
}

TEST_CASE("log_replica: a reader that has read ahead gets what is there now, not what was cut off") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestReplica replica(env, 2);
    replica.fill(times(30, 'a'));
    LogReader reader(*replica, Offset(0)), sealed(*replica, Offset(0));
    for (int i = 0; i < 20; ++i) REQUIRE(must(reader.next(Offset(30))));
    for (int i = 0; i < 5; ++i) REQUIRE(must(sealed.next(Offset(30))));
    cut(replica, 20);
    replica.follow('b');
    replica.receive(times(10, 'b'));
    const auto batch = must(reader.next(Offset(30)));
    REQUIRE(batch);
    CHECK(batch->header.base_offset == Offset(20));
    CHECK(batch->header.leader_epoch == LeaderEpoch(1));
    // The segment in which this one stands was cut, and is the active one again.
    cut(replica, 10);
    replica.follow('c');
    replica.receive(times(20, 'c'));
    for (int64_t next = 5; next < 30; ++next) {
      const auto found = must(sealed.next(Offset(30)));
      REQUIRE(found);
      CHECK(found->header.base_offset == Offset(next));
      CHECK(found->header.leader_epoch == LeaderEpoch(next < 10 ? 0 : 2));
    }
  }
}

// A segment gets the name of an earlier one, but is another file.
TEST_CASE("log_replica: a log that is emptied or cut, and filled again, fits its page for other processes") {
  TestEnv env;
  TestReplica replica(env, 2);
  const auto is_believed = [&] {
    const auto other = replica.open();
    CHECK(letters_of(*other) == replica.text());
    CHECK(env.notices() == "");
  };
  replica.fill("aaaa");
  restart(replica, 2);
  restart(replica, 0);
  is_believed();
  for (const int64_t start : {2, 0, 14, 0, 14}) {
    CAPTURE(start);
    restart(replica, start);
    is_believed();
    replica.fill(times(20, 'a'));
    is_believed();
    must(replica->truncate_to(Offset(start + 3), true, env.soon()));
    is_believed();
    replica.fill(times(20, 'a'));
    is_believed();
  }
}

TEST_CASE("log_replica: emptied, it goes on wherever the leader begins") {
  for (const Machine machine : kEveryMachine) {
    for (const int64_t start : {100, 50, 42, 28, 17, 1, 0}) {
      CAPTURE(start);
      TestEnv env(machine);
      TestReplica replica(env, 2);
      replica.fill(times(50, 'a'));
      must(replica->flush(env.soon()));
      replica.page().high_watermark = 30;
      replica.page().damaged = 1;
      restart(replica, start);
      CHECK(replica.position().log_start == Offset(start));
      CHECK(replica.position().log_end == Offset(start));
      CHECK(replica.segments() == std::vector{Offset(start)});
      CHECK(replica.page().high_watermark == start);
      CHECK(replica.page().damaged == 0);
      CHECK(replica.page().flushed <= start);
      CHECK(replica.epochs() == "");
      replica.follow('b');
      replica.receive(times(20, 'b'));
      CHECK(replica.text() == times(20, 'b'));
      CHECK(faults_of(*replica) == "");
      replica.close();
      env.reboot();
      replica.reopen();
      CHECK(replica.position().log_start == Offset(start));
      CHECK(replica.text() == times(20, 'b'));
    }
  }
}

TEST_CASE("log_replica: who begins to lead takes away the segments that an interrupted cut has left") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill(times(30, 'a'));
  const auto segments = replica.segments();
  REQUIRE(segments.size() == 3);
  env.files.arm({.kind = Call::unlink, .for_ever = true});
  CHECK_FALSE(replica->truncate_to(Offset(5), false, env.soon()));
  env.files.disarm();
  CHECK(replica.segments() == segments);
  replica.lead('c', kAlone);
  replica.write(times(20, 'c'));
  CHECK(replica.text() == times(5, 'a') + times(20, 'c'));
  CHECK(faults_of(*replica) == "");
}
