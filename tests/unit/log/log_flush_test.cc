#include <thread>

#include "core/log/partition_log.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("log_flush: everything written before the call is synced, once, whoever wrote it") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env);
    const auto one = partition.open(), other = partition.open();
    append_numbers(*one, 0, 3);
    const int64_t before = env.files.calls(Call::sync);
    CHECK(must(other->flush(env.soon())) == Offset(3));
    CHECK(env.files.calls(Call::sync) == before + 1);
    CHECK(one->current_state()->page().flushed == 3);
    CHECK(must(one->flush(env.soon())) == Offset(3));  // nothing left to do
    CHECK(env.files.calls(Call::sync) == before + 1);
    append_numbers(*one, 3, 1);
    CHECK(one->current_state()->page().flushed == 3);
    CHECK(must(one->flush(env.soon())) == Offset(4));
    CHECK(env.files.calls(Call::sync) == before + 2);
    CHECK(one->current_state()->page().flushing == 0);
  }
}

TEST_CASE("log_flush: an empty log is flushed without a call") {
  TestEnv env;
  TestPartition partition(env);
  const int64_t before = env.files.calls(Call::sync);
  CHECK(must(partition.open()->flush(env.soon())) == Offset(0));
  CHECK(env.files.calls(Call::sync) == before);
}

TEST_CASE("log_flush: every segment since the last flush is synced, and no older one") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  const auto segments = static_cast<int64_t>(must(list_segments(env.files, partition.directory())).size());
  REQUIRE(segments >= 4);
  int64_t before = env.files.calls(Call::sync);
  must(log->flush(env.soon()));
  CHECK(env.files.calls(Call::sync) == before + segments);
  append_numbers(*log, 60, 15);
  before = env.files.calls(Call::sync);
  must(log->flush(env.soon()));
  CHECK(env.files.calls(Call::sync) == before + 2);
}

TEST_CASE("log_flush: a failed sync is final: the replica is offline for everybody, and nobody syncs again") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env);
    const auto log = partition.open(), other = partition.open();
    append_numbers(*log, 0, 2);
    must(log->flush(env.soon()));
    append_numbers(*log, 2, 2);
    env.files.arm({.kind = Call::sync, .sys_errno = EIO});
    const Error error = error_of(log->flush(env.soon()));
    CHECK(error.code == Errc::io);
    CHECK(error.sys_errno == EIO);
    CHECK(env.notices().find("partition 't-0' is offline") != std::string::npos);
    const int64_t syncs = env.files.calls(Call::sync);
    for (PartitionLog* any : {log.get(), other.get()}) {
      const std::string why = "partition 't-0' is offline since a flush to disk failed: see 'pg-topic repair'";
      CHECK(error_of(any->flush(env.soon())).what == why);
      CHECK(error_of(try_append(*any, {"x"})).what == why);
    }
    CHECK(code_of(partition.open()->flush(env.soon())) == Errc::io);  // who comes later too
    CHECK(env.files.calls(Call::sync) == syncs);
    CHECK(log->current_state()->page().flushed == 2);
    CHECK(contents(*other) == numbers(0, 4));  // reading goes on
  }
}

TEST_CASE("log_flush: a failure before the sync is no failed sync, and the next flush trusts nothing of it") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 30);
  env.files.arm({.kind = Call::open, .nth = 2, .sys_errno = EMFILE});
  CHECK(code_of(log->flush(env.soon())) == Errc::limit);
  CHECK(log->current_state()->page().failed == 0);
  CHECK(log->current_state()->page().flushed == 0);
  const int64_t writes = env.files.calls(Call::write);
  CHECK(must(log->flush(env.soon())) == Offset(30));
  CHECK(env.files.calls(Call::write) == writes + 30);  // its bytes were written again
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_flush: who finds that the last to flush died writes the bytes again before it syncs them") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 20);
  must(log->flush(env.soon()));
  append_numbers(*log, 20, 20);
  log->current_state()->page().flushing = 1;  // and the lock is free
  const std::string before = must(env.files.read_all(partition.log_file()));
  const int64_t writes = env.files.calls(Call::write);
  CHECK(must(log->flush(env.soon())) == Offset(40));
  CHECK(env.files.calls(Call::write) == writes + 20);  // the batches that were not flushed, no others
  CHECK(log->current_state()->page().flushing == 0);
  CHECK(must(env.files.read_all(partition.log_file())) == before);
  CHECK(contents(*log) == numbers(0, 40));
}

TEST_CASE("log_flush: bytes that went bad under a dead holder's sync are not passed off as flushed") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append_numbers(*log, 0, 3);
  log->current_state()->page().flushing = 1;
  flip_bits(env.files, partition.log_file(), 100);
  CHECK(code_of(log->flush(env.soon())) == Errc::corrupt);
  CHECK(log->current_state()->page().flushed == 0);
}

TEST_CASE("log_flush: who waits for another's flush is content with it") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open(), holder = partition.open();
  append_numbers(*log, 0, 3);
  const auto state = holder->current_state();
  REQUIRE(must(state->locks().try_lock(lock_byte::kFlush, LockMode::exclusive)));
  const int64_t before = env.files.calls(Call::sync);
  Result<Offset> flushed = Offset(-1);
  std::thread waiter([&] { flushed = log->flush(env.clock().after(std::chrono::hours(1'000'000))); });
  std::this_thread::sleep_for(10ms);
  state->page().flushed = 3;  // the holder has done it for both
  waiter.join();
  CHECK(must(flushed) == Offset(3));
  CHECK(env.files.calls(Call::sync) == before);
}

TEST_CASE("log_flush: waiting for a frozen holder ends at the deadline") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open(), frozen = partition.open();
  append_numbers(*log, 0, 1);
  REQUIRE(must(frozen->current_state()->locks().try_lock(lock_byte::kFlush, LockMode::exclusive)));
  const auto before = env.clock().now();
  CHECK(code_of(log->flush(env.clock().after(200ms))) == Errc::timed_out);
  CHECK(env.clock().now() - before >= 200ms);
}

TEST_CASE("log_flush: one sync serves many who wait, and nobody returns before its own records are flushed") {
  TestEnv env(Machine::disk);
  TestPartition partition(env);
  constexpr int kThreads = 4, kRounds = 20;
  const int64_t before = env.files.calls(Call::sync);
  std::atomic<int> early = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const auto log = partition.open();
      for (int i = 0; i < kRounds; ++i) {
        const Offset end = must(try_append(*log, {"x"})).end_offset;
        if (must(log->flush(env.soon())) < end || log->current_state()->page().flushed < end.value) ++early;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(early == 0);
  CHECK(env.files.calls(Call::sync) - before <= kThreads * kRounds);
  const auto log = partition.open();
  CHECK(log->current_state()->page().flushed == kThreads * kRounds);
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_flush: every call of a flush may fail once; what is then claimed as flushed was synced") {
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    TestPartition partition(env, tiny_segments());
    const auto log = partition.open();
    append_numbers(*log, 0, 30);
    env.files.arm({.nth = n});
    const auto flushed = log->flush(env.soon());
    env.files.disarm();
    if (env.files.fired() == 0) {
      CHECK(must(flushed) == Offset(30));
      CHECK(n > 8);
      break;
    }
    CHECK_FALSE(flushed.has_value());
    CHECK(log->current_state()->page().flushed == 0);
    const bool offline = log->current_state()->page().failed != 0;
    CHECK(log->flush(env.soon()).has_value() == !offline);
  }
}

TEST_CASE("log_flush: a replica whose flush failed stays offline when its page is made anew in the same boot") {
  TestEnv env;
  TestPartition partition(env);
  {
    const auto log = partition.open();
    append_numbers(*log, 0, 2);
    env.files.arm({.kind = Call::sync, .sys_errno = EIO});
    CHECK(code_of(log->flush(env.soon())) == Errc::io);
    env.files.disarm();
    log->current_state()->page().untrusted = 1;
  }
  const auto again = partition.open();
  CHECK(again->current_state()->page().untrusted == 0);
  CHECK(code_of(try_append(*again, {"x"})) == Errc::io);
  CHECK(code_of(again->flush(env.soon())) == Errc::io);
}

TEST_CASE("log_flush: the file that is kept open for syncing is given up when it was replaced") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append_numbers(*log, 0, 2);
  must(log->flush(env.soon()));
  const std::string content = must(env.files.read_all(partition.log_file()));
  must(env.files.unlink(partition.log_file()));
  must(must(env.files.open(partition.log_file(), OpenMode::create_new))->write_at(0, as_bytes(content)));
  append_numbers(*log, 2, 1);
  CHECK(must(log->flush(env.soon())) == Offset(3));
  CHECK(contents(*partition.open()) == numbers(0, 3));
}

TEST_CASE("log_flush: flush.messages makes the append that reaches it flush, whoever wrote the records before") {
  TestEnv env;
  LogConfig config;
  config.flush_messages = 3;
  TestPartition partition(env, config);
  const auto one = partition.open(), other = partition.open();
  const auto flushed = [&] { return one->current_state()->page().flushed.load(); };
  append(*one, {"0"});
  append(*other, {"1"});
  CHECK(flushed() == 0);
  append(*one, {"2"});
  CHECK(flushed() == 3);
  append(*other, {"3", "4", "5", "6"});
  CHECK(flushed() == 7);
}

TEST_CASE("log_flush: an append whose own flush fails says so, and the records are written") {
  TestEnv env;
  LogConfig config;
  config.flush_messages = 1;
  TestPartition partition(env, config);
  const auto log = partition.open();
  env.files.arm({.kind = Call::sync, .sys_errno = EIO});
  const auto appended = must(try_append(*log, {"x"}));  // no error: who tries again would write them twice
  CHECK(appended.end_offset == Offset(1));
  REQUIRE(appended.not_flushed);
  CHECK(appended.not_flushed->code == Errc::io);
  CHECK(appended.not_flushed->path == partition.log_file());
  CHECK(contents(*log) == "0:x");
  CHECK(log->current_state()->page().failed == 1);
}

TEST_CASE(
    "log_flush: rolling notes how far the log is on stable storage, and a failure to note it is no failed append") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  const auto recovery_point = [&] {
    return must(LogDirectory(env.env(), env.root()).recovery_point(partition.spec().partition));
  };
  append_numbers(*log, 0, 3);
  must(log->flush(env.soon()));
  CHECK(recovery_point() == Offset(0));
  append_numbers(*log, 3, 30);  // rolls, more than once
  CHECK(recovery_point() == Offset(3));
  must(log->flush(env.soon()));
  env.files.arm({.kind = Call::rename, .sys_errno = EIO, .for_ever = true});
  append_numbers(*log, 33, 30);
  CHECK(env.files.fired() > 0);
  CHECK(recovery_point() == Offset(3));
  env.files.disarm();
  append_numbers(*log, 63, 30);
  CHECK(recovery_point() == Offset(33));
}
