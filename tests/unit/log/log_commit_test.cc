// Waiting for replicas: PartitionLog::wait_committed, and what a broker does to the start and the end of its log.
#include "core/log/replica_words.h"
#include "tests/support/printing.h"
#include "tests/support/test_replica.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

const std::vector<BrokerId> kBoth{BrokerId(1), BrokerId(2)};
constexpr bool kFlushed = true, kWritten = false;

// Broker 2, which follows broker 1, says what it has.
void report(TestReplica& leader, int64_t end, int64_t flushed) {
  begin_slot(leader.page(), 1, LeaderEpoch(leader.page().leader_epoch), Offset(end), Offset(flushed));
}

Errc outcome(TestReplica& leader, const Appended& appended, bool flushed) {
  return code_of(leader->wait_committed(appended, flushed, leader.env.clock().after(1s)));
}

}  // namespace

TEST_CASE("log_commit: what is appended is committed once every replica in sync has it") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  const auto first = must(leader.try_write('a')), second = must(leader.try_write('a'));
  CHECK(outcome(leader, first, kWritten) == Errc::timed_out);
  report(leader, 1, 0);
  must(leader->wait_committed(first, kWritten, env.soon()));
  CHECK(outcome(leader, second, kWritten) == Errc::timed_out);
  CHECK(leader->current_state()->high_watermark() == Offset(1));
}

TEST_CASE("log_commit: flushed means on every replica in sync, and whoever waits says up to where") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  const auto appended = must(leader.try_write('a'));
  report(leader, 1, 0);
  CHECK(outcome(leader, appended, kFlushed) == Errc::timed_out);
  CHECK(leader.page().flush_wanted == 1);
  report(leader, 1, 1);
  CHECK(outcome(leader, appended, kFlushed) == Errc::timed_out);  // its own is not
  must(leader->flush(env.soon()));
  must(leader->wait_committed(appended, kFlushed, env.soon()));
  leader->ask_flush(Offset(5));
  leader->ask_flush(Offset(3));
  CHECK(leader.page().flush_wanted == 5);
}

TEST_CASE("log_commit: whoever waits while another leader is elected is told that nobody knows") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  const auto appended = must(leader.try_write('a'));
  report(leader, 1, 1);
  leader->current_state()->fence(LeaderEpoch(1));
  const auto waited = leader->wait_committed(appended, kWritten, env.soon());
  REQUIRE(code_of(waited) == Errc::fenced);
  CHECK(waited.error().what.find("may have been written") != std::string::npos);
  // Also if it leads again by then: the records of an earlier epoch are looked for by who sent them.
  leader.lead('c', {BrokerId(1)});
  CHECK(outcome(leader, appended, kWritten) == Errc::fenced);
}

TEST_CASE("log_commit: with a page that was replaced meanwhile nobody knows either") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  const auto appended = must(leader.try_write('a'));
  leader.page().untrusted = 1;
  CHECK(outcome(leader, appended, kWritten) == Errc::fenced);
}

TEST_CASE("log_commit: too few in sync commit nothing, however long one waits") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth, 2);
  report(leader, 0, 0);
  REQUIRE(change_in_sync(leader.page(), InSync::unpack(leader.page().in_sync), 0b1));
  const auto appended = must(leader.try_write('a'));
  CHECK(outcome(leader, appended, kWritten) == Errc::timed_out);
  CHECK(leader->current_state()->high_watermark() == Offset(0));
}

TEST_CASE("log_commit: readers see what is committed") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  leader.write("aaa");
  CHECK(contents(*leader) == "");
  report(leader, 2, 0);
  CHECK(contents(*leader) == "0:a 1:a");
  // Also those who may only read, and who keep nothing.
  leader.page().high_watermark = 0;
  const auto other = leader.open(Access::read_only);
  CHECK(contents(*other) == "0:a 1:a");
  CHECK(leader.page().high_watermark == 0);
}

TEST_CASE("log_commit: a follower takes over the leader's log start, and lets go of what is below") {
  TestEnv env;
  LogConfig config = tiny_segments();
  config.file_delete_delay_ms = 0;
  TestReplica follower(env, 2, config);
  follower.fill(std::string(50, 'a'));
  must(follower->follow_log_start(Offset(30), env.soon()));
  CHECK(follower.position().log_start == Offset(30));
  CHECK(follower.segments() == std::vector{Offset(28), Offset(42)});
  must(follower->follow_log_start(Offset(20), env.soon()));
  must(follower->follow_log_start(Offset(60), env.soon()));  // it has not come so far
  CHECK(follower.position().log_start == Offset(30));
  CHECK(follower.text() == std::string(20, 'a'));
  CHECK(code_of(follower->raise_log_start(Offset(31), env.soon())) ==
        Errc::out_of_range);  // that is the leader's to say
}

TEST_CASE("log_commit: the start of a log moves on its leader, and never above what is committed") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  leader.write("aaaa");
  report(leader, 2, 0);
  must(leader->raise_log_start(Offset(2), env.soon()));
  CHECK(code_of(leader->raise_log_start(Offset(3), env.soon())) == Errc::out_of_range);
  leader->current_state()->fence(LeaderEpoch(1));
  report(leader, 4, 0);
  CHECK(code_of(leader->raise_log_start(Offset(3), env.soon())) == Errc::fenced);
}

TEST_CASE("log_commit: an append that has begun is waited for") {
  TestEnv env;
  TestReplica leader(env, 1);
  leader.lead('a', kBoth);
  must(leader->await_appends(env.soon()));
  const auto other = leader.open();
  {
    const HeldLock append =
        must(HeldLock::acquire(other->current_state()->locks(), lock_byte::kAppend, LockMode::exclusive, env.soon()));
    CHECK(code_of(leader->await_appends(env.clock().after(1s))) == Errc::timed_out);
  }
  must(leader->await_appends(env.soon()));
}
