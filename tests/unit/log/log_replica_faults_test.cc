// The same when calls fail, and when the machine restarts.
#include <fmt/format.h>

#include <functional>

#include "tests/support/printing.h"
#include "tests/support/test_replica.h"

using namespace pg;

namespace {

const std::vector<BrokerId> kAlone{BrokerId(1)};
constexpr int kRecords = 50, kFlushed = 45, kCommitted = 16;

std::string times(int count, char letter) { return std::string(static_cast<size_t>(count), letter); }

LogDirectory log_directory(TestReplica& replica) {
  return {replica.env.env(), fmt::format("{}/{}", replica.env.root(), replica.broker.value)};
}

void note_recovery_point(TestReplica& replica, int64_t offset) {
  must(log_directory(replica).raise_recovery_points({{{"t", PartitionId(0)}, Offset(offset)}}, replica.env.soon()));
}

void note_high_watermark(TestReplica& replica, int64_t offset) {
  must(log_directory(replica).store_high_watermarks({{{"t", PartitionId(0)}, Offset(offset)}}, replica.env.soon()));
}

void restart_machine(TestReplica& replica) {
  replica.close();
  replica.env.reboot();
  replica.reopen();
}

// What a power cut may leave of records that were not synced; each is a batch in the log's only segment.
void leave_records(TestReplica& replica, int64_t count) {
  const auto file = must(
      replica.env.files.open(names::segment(replica.directory(), Offset(0), names::SegmentFile::log), OpenMode::write));
  BatchScanner scanner(*file);
  for (int64_t i = 0; i < count; ++i) must(scanner.next(must(file->info()).size_bytes));
  must(file->truncate(scanner.position()));
}

// Lets each call of `act` fail once, on a follower with four segments that knows of `kCommitted` committed records;
// `check` sees what is left.
void fail_each_call(const std::function<Result<>(TestReplica&)>& act,
                    const std::function<void(TestReplica&, int64_t nth)>& check) {
  for (int64_t nth = 1;; ++nth) {
    CAPTURE(nth);
    TestEnv env;
    TestReplica replica(env, 2);
    replica.fill(times(kRecords, 'a'));
    must(replica->flush(env.soon()));
    note_recovery_point(replica, kFlushed);
    replica.page().high_watermark = kCommitted;
    note_high_watermark(replica, kCommitted);
    env.files.arm({.nth = nth});
    const auto done = act(replica);
    const bool fired = env.files.fired() > 0;
    env.files.disarm();
    if (!fired) {
      must(done);
      return;
    }
    check(replica, nth);
  }
}

// What a broker does next: it follows, finds where the logs part, and cuts there.
void repair(TestReplica& replica, char letter, int64_t end) {
  replica.follow(letter);
  must(replica->truncate_to(Offset(end), false, replica.env.soon()));
}

}  // namespace

TEST_CASE("log_replica: whichever call of a cut fails, the next cut does the rest, and nothing committed goes") {
  for (const bool reboot : {false, true}) {
    for (const int64_t end : {43, 20, kCommitted}) {
      CAPTURE(reboot);
      CAPTURE(end);
      fail_each_call([&](TestReplica& replica) { return replica->truncate_to(Offset(end), false, replica.env.soon()); },
                     [&](TestReplica& replica, int64_t) {
                       if (reboot) restart_machine(replica);
                       CHECK(replica.env.notices().find("damaged") == std::string::npos);
                       const std::string left = replica.text();
                       CHECK(std::cmp_greater_equal(left.size(), end));
                       CHECK(left == times(static_cast<int>(left.size()), 'a'));
                       CHECK(replica.page().high_watermark == kCommitted);
                       repair(replica, 'c', end);
                       replica.receive(times(40, 'c'));
                       CHECK(replica.text() == times(static_cast<int>(end), 'a') + times(40, 'c'));
                       CHECK(replica.epochs() == fmt::format("0@0 2@{}", end));
                       CHECK(faults_of(*replica) == "");
                     });
    }
  }
}

// The new leader may have the whole log, so that nothing is cut any more.
TEST_CASE("log_replica: whichever call of a cut fails, whatever the log ends with then can be followed by more") {
  fail_each_call([&](TestReplica& replica) { return replica->truncate_to(Offset(44), false, replica.env.soon()); },
                 [&](TestReplica& replica, int64_t) {
                   const std::string left = replica.text();
                   replica.follow('c');
                   replica.receive(times(40, 'c'));
                   CHECK(replica.text() == left + times(40, 'c'));
                   CHECK(faults_of(*replica) == "");
                   restart_machine(replica);
                   CHECK(replica.text() == left + times(40, 'c'));
                 });
}

TEST_CASE("log_replica: whichever call fails while a log is emptied, emptying it again does the rest") {
  for (const bool reboot : {false, true}) {
    for (const int64_t start : {100, 28, 0}) {
      CAPTURE(reboot);
      CAPTURE(start);
      const auto restart = [&](TestReplica& replica) { return replica->restart_at(Offset(start), replica.env.soon()); };
      fail_each_call(restart, [&](TestReplica& replica, int64_t) {
        if (reboot) restart_machine(replica);
        CHECK(Offset(replica.page().high_watermark) <= replica.position().log_end);
        replica.follow('c');
        must(restart(replica));
        replica.receive(times(20, 'c'));
        CHECK(replica.text() == times(20, 'c'));
        CHECK(replica.segments() == std::vector{Offset(start), Offset(start + 14)});
        CHECK(faults_of(*replica) == "");
      });
    }
  }
}

// Else the broker would take it for sound, and follow on with what is damaged.
TEST_CASE("log_replica: a damaged log that could not be emptied is still damaged") {
  const auto restart = [](TestReplica& replica) {
    replica.page().damaged = 1;
    return replica->restart_at(Offset(0), replica.env.soon());
  };
  fail_each_call(
      restart, [&](TestReplica& replica, int64_t) { CHECK((replica.page().damaged == 1 || replica.text().empty())); });
}

TEST_CASE("log_replica: whichever call fails while a batch is taken over, it can be taken over again") {
  for (const bool reboot : {false, true}) {
    CAPTURE(reboot);
    // A new epoch, and a roll: fifty-six records fill four segments.
    const auto receive = [](TestReplica& replica) -> Result<> {
      for (int i = kRecords; i < 56; ++i) PG_CHECK(replica.try_receive('a'));
      PG_CHECK(replica->follow(epoch_of('c'), replica.env.soon()));
      return replica.try_receive('c');
    };
    fail_each_call(receive, [&](TestReplica& replica, int64_t) {
      if (reboot) restart_machine(replica);
      replica.follow('c');
      replica.receive(times(56 - static_cast<int>(std::min<int64_t>(56, replica.position().log_end.value)), 'a'));
      if (replica.position().log_end == Offset(56)) replica.receive("c");
      replica.receive("c");
      CHECK(replica.text() == times(56, 'a') + "cc");
      CHECK(replica.epochs() == "0@0 2@56");
      CHECK(faults_of(*replica) == "");
    });
  }
}

// A broker goes on where it was, with the same handle.
TEST_CASE(
    "log_replica: whichever call fails while the first batch of an epoch is taken over, the epoch is stored before any "
    "batch of it") {
  const auto receive = [](TestReplica& replica) -> Result<> {
    PG_CHECK(replica->follow(epoch_of('c'), replica.env.soon()));
    return replica.try_receive('c');
  };
  fail_each_call(receive, [&](TestReplica& replica, int64_t) {
    if (replica.page().leader_epoch != 2) replica.follow('c');
    if (replica.position().log_end == Offset(kRecords)) replica.receive("c");
    CHECK(replica.epochs() == "0@0 2@50");
    CHECK(replica.text() == times(kRecords, 'a') + "c");
  });
}

TEST_CASE("log_replica: whichever call fails while an epoch is opened, a later one can be") {
  const auto lead = [](TestReplica& replica) { return replica.try_lead('c', kAlone); };
  fail_each_call(lead, [&](TestReplica& replica, int64_t) {
    CHECK(code_of(replica.try_write('c')) == Errc::not_leader);
    replica.lead('d', kAlone);
    replica.write("d");
    CHECK(replica.text() == times(kRecords, 'a') + "d");
    CHECK(replica.epochs() == fmt::format("0@0 3@{}", kRecords));
  });
}

TEST_CASE("log_replica: after a restart of the machine nobody leads, and what was not on the disk may be missing") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.lead('c', kAlone);
  replica.write("ccc");
  replica.page().high_watermark = 3;
  note_high_watermark(replica, 2);
  restart_machine(replica);
  const StatePage& page = replica.page();
  CHECK(page.role == static_cast<uint32_t>(Role::follower));
  CHECK(page.replicated == 1);
  CHECK(page.leader_epoch == 2);
  CHECK(page.unclean == 1);
  CHECK(page.high_watermark == 2);
  CHECK(page.in_sync == 0);
  CHECK(replica.epochs() == "2@0");  // nobody was elected
  CHECK(code_of(replica.try_write('c')) == Errc::not_leader);
  CHECK(replica->current_state()->high_watermark() == Offset(2));
}

TEST_CASE("log_replica: a high watermark that the log no longer reaches counts to its end") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aaa");
  note_high_watermark(replica, 30);
  restart_machine(replica);
  CHECK(replica.page().high_watermark == 3);
}

TEST_CASE("log_replica: one whose broker had stopped cleanly lacks nothing after a restart of the machine") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aaa");
  must(log_directory(replica).note_clean_stop());
  restart_machine(replica);
  CHECK(replica.page().unclean == 0);
  must(log_directory(replica).forget_clean_stop());
  restart_machine(replica);
  CHECK(replica.page().unclean == 1);
  replica.reopen();
  CHECK(replica.page().unclean == 1);
}

TEST_CASE("log_replica: a page that is made anew in the same boot leaves nobody leading, and nothing missing") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.lead('b', kAlone);
  replica.write("bb");
  replica.page().high_watermark = 2;
  replica.page().untrusted = 1;
  replica.reopen();
  CHECK(replica.page().role == static_cast<uint32_t>(Role::follower));
  CHECK(replica.page().unclean == 0);
  CHECK(replica.page().high_watermark == 2);
  CHECK(replica.text() == "bb");
}

TEST_CASE("log_replica: with the page gone nobody knows whether the machine restarted, so something may be missing") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("bb");
  replica.close();
  must(env.files.unlink(names::partition_state(replica.directory())));
  replica.reopen();
  CHECK(replica.page().unclean == 1);
  CHECK(replica.text() == "bb");
}

TEST_CASE("log_replica: with the checkpoint gone, epochs are what the batches say") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aaccd");
  must(env.files.unlink(names::epoch_checkpoint(replica.directory())));
  restart_machine(replica);
  CHECK(replica.epochs() == "0@0 2@2 3@4");
  CHECK(replica.page().leader_epoch == 3);
}

TEST_CASE("log_replica: an epoch of which a restart of the machine took all records is not opened again") {
  TestEnv env;
  TestReplica replica(env, 1);
  replica.fill("aab");
  replica.lead('d', kAlone);
  replica.write("d");
  for (const int64_t left : {2, 1}) {
    CAPTURE(left);
    leave_records(replica, left);
    restart_machine(replica);
    CHECK(replica.epochs() == fmt::format("0@0 3@{}", left));
    CHECK(replica.page().leader_epoch == 3);
    CHECK(code_of(replica.try_lead('d', kAlone)) == Errc::fenced);
  }
}

TEST_CASE("log_replica: the bytes of a writer that died are off the disk before others take their place") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill("aab");
  replica.close();
  const std::string path = names::segment(replica.directory(), Offset(0), names::SegmentFile::log);
  {
    const auto file = must(env.files.open(path, OpenMode::write));
    TestBatch batch({"b"});
    stamp_batch(batch.bytes(), Offset(3), LeaderEpoch(1));
    must(file->write_at(must(file->info()).size_bytes, batch.bytes().first(batch.bytes().size() - 1)));
  }
  replica.reopen();
  const int64_t before = env.files.calls(Call::sync);
  replica.follow('c');
  CHECK(env.files.calls(Call::sync) == before + 1);
  CHECK(replica.text() == "aab");
}

TEST_CASE("log_replica: a log of which something is missing that was flushed is damaged, until it is emptied") {
  TestEnv env;
  TestReplica replica(env, 2);
  replica.fill("aaaa");
  note_recovery_point(replica, 4);
  leave_records(replica, 2);
  restart_machine(replica);
  CHECK(replica.page().damaged == 1);
  CHECK(replica.position().log_end == Offset(4));
  replica.page().untrusted = 1;
  replica.reopen();
  CHECK(replica.page().damaged == 1);
  must(replica->restart_at(Offset(0), env.soon()));
  CHECK(replica.page().damaged == 0);
}
