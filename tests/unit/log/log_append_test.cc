#include <algorithm>
#include <atomic>
#include <thread>

#include "core/base/crc32c.h"
#include "core/format/path_names.h"
#include "core/log/log_verify.h"
#include "core/log/partition_log.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

// The headers of all batches of one segment file.
std::vector<BatchHeader> headers_in(TestEnv& env, const std::string& path) {
  const auto file = must(env.files.open(path, OpenMode::read));
  BatchScanner scanner(*file);
  std::vector<BatchHeader> headers;
  while (const auto batch = must(scanner.next(must(file->info()).size_bytes))) headers.push_back(batch->header);
  return headers;
}

void add_tail(TestEnv& env, const std::string& path, std::string_view bytes) {
  must(must(env.files.open(path, OpenMode::write))->write_at(size_of(env.files, path), as_bytes(bytes)));
}

}  // namespace

TEST_CASE("log_append: offsets go on without gaps, over many segments and handles") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, tiny_segments());
    const auto one = partition.open(), other = partition.open();
    int64_t n = 0;
    for (int round = 0; round < 30; ++round) {
      PartitionLog& log = round % 2 == 0 ? *one : *other;
      const Appended appended = must(try_append(log, {std::to_string(n), std::to_string(n + 1)}));
      CHECK(appended.base_offset == Offset(n));
      CHECK(appended.end_offset == Offset(n + 2));
      CHECK(appended.leader_epoch == LeaderEpoch(0));
      n += 2;
    }
    CHECK(contents(*one) == numbers(0, 60));
    CHECK(contents(*other) == numbers(0, 60));
    CHECK(contents(*partition.open()) == numbers(0, 60));
    CHECK(must(list_segments(env.files, partition.directory())).size() == 3);
    CHECK(faults_of(*one) == "");
  }
}

TEST_CASE("log_append: a batch larger than the topic allows is refused whole") {
  TestEnv env;
  LogConfig config;
  config.max_message_bytes = 200;
  TestPartition partition(env, config);
  const auto log = partition.open();
  const Error error = error_of(try_append(*log, {std::string(200, 'x')}));
  CHECK(error.code == Errc::limit);
  CHECK(error.what.find("max.message.bytes=200") != std::string::npos);
  append(*log, {std::string(100, 'x')});
  CHECK(size_of(env.files, partition.log_file()) < 200);
}

TEST_CASE("log_append: rolls before segment.bytes is passed; one batch may be larger than a segment") {
  TestEnv env;
  LogConfig config;
  config.segment_bytes = 300;
  TestPartition partition(env, config);
  const auto log = partition.open();
  REQUIRE(TestBatch({std::string(32, 'x')}).bytes().size() == 100);
  append(*log, {std::string(32, 'x')});
  append(*log, {std::string(32, 'x')});
  append(*log, {std::string(32, 'x')});  // exactly 300
  CHECK(must(list_segments(env.files, partition.directory())) == std::vector{Offset(0)});
  append(*log, {"y"});
  append(*log, {std::string(1000, 'z')});
  append(*log, {"y"});
  CHECK(must(list_segments(env.files, partition.directory())) ==
        std::vector{Offset(0), Offset(3), Offset(4), Offset(5)});
  CHECK(size_of(env.files, partition.log_file(0)) == 300);
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_append: rolls when segment.ms has passed since the segment's first record") {
  TestEnv env;
  LogConfig config;
  config.segment_ms = 1000;
  TestPartition partition(env, config);
  const auto log = partition.open();
  append(*log, {"0"}, 50'000);
  append(*log, {"1"}, 51'000);
  append(*log, {"2"}, 40'000);  // late records do not count
  CHECK(must(list_segments(env.files, partition.directory())) == std::vector{Offset(0)});
  append(*log, {"3"}, 51'001);
  append(*log, {"4"}, 52'001);
  append(*log, {"5"}, 52'002);
  CHECK(must(list_segments(env.files, partition.directory())) == std::vector{Offset(0), Offset(3), Offset(5)});
  CHECK(contents(*log) == numbers(0, 6));
}

TEST_CASE("log_append: with LogAppendTime, segment.ms goes by the log's clock and not by the records'") {
  TestEnv env;
  LogConfig config;
  config.segment_ms = 1000;
  config.timestamp_type = TimestampType::log_append;
  TestPartition partition(env, config);
  const auto log = partition.open();
  env.manual_clock.set_wall_ms(1'000'000);
  append(*log, {"0"}, 9'000'000);
  append(*log, {"1"}, 99'000'000);  // what the producer said does not count
  CHECK(must(list_segments(env.files, partition.directory())) == std::vector{Offset(0)});
  env.manual_clock.set_wall_ms(1'001'001);
  append(*log, {"2"}, 5);
  CHECK(must(list_segments(env.files, partition.directory())) == std::vector{Offset(0), Offset(2)});
}

TEST_CASE("log_append: rolls before a relative offset would not fit its index") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append(*log, {"0"});
  // A compacted batch: one record, and two billion offsets.
  TestBatch batch({"x"});
  const auto bytes = batch.bytes();
  store_big_endian<int32_t>(bytes.data() + 23, INT32_MAX);
  store_big_endian(bytes.data() + 17, crc32c(bytes.subspan(kBatchCrcStart)));
  CHECK(must(log->append(bytes, env.soon())).end_offset == Offset(int64_t{1} + INT32_MAX + 1));
  append(*log, {"y"});
  CHECK(must(list_segments(env.files, partition.directory())) ==
        std::vector{Offset(0), Offset(1), Offset(int64_t{1} << 31 | 1)});
  CHECK(contents(*log) == "0:0 1:x 2147483649:y");
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_append: LogAppendTime stamps every batch with the log's time") {
  TestEnv env;
  LogConfig config = tiny_segments();
  config.timestamp_type = TimestampType::log_append;
  TestPartition partition(env, config);
  const auto log = partition.open();
  for (int64_t n = 0; n < 10; ++n) {
    env.manual_clock.set_wall_ms(7000 + n);
    append(*log, {std::to_string(n)}, 1);
  }
  const auto headers = headers_in(env, partition.log_file());
  REQUIRE(headers.size() == 10);
  for (size_t i = 0; i < headers.size(); ++i) {
    CHECK(headers[i].timestamp_type() == TimestampType::log_append);
    CHECK(headers[i].max_timestamp_ms == 7000 + static_cast<int64_t>(i));
  }
  CHECK(faults_of(*log) == "");
  CHECK(must(find_offset_by_time(*log, 7005, Offset(0), Offset(10))) == Offset(5));
}

TEST_CASE(
    "log_append: a dead writer's torn tail is cut before the next append, whoever had the file open; a whole batch "
    "stays") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env);
    const auto log = partition.open(), other = partition.open();
    append_numbers(*log, 0, 3);
    const uint64_t published = size_of(env.files, partition.log_file());
    TestBatch batch({"never published"});
    const auto bytes = batch.bytes();
    stamp_batch(bytes, Offset(3), LeaderEpoch(0));
    for (PartitionLog* next : {other.get(), log.get()}) {
      add_tail(env, partition.log_file(), as_text(bytes).substr(0, bytes.size() - 1));
      CHECK(contents(*next).find("never") == std::string::npos);
      CHECK(faults_of(*next) == "");
      append(*next, {"x"});
    }
    CHECK(contents(*partition.open()) == "0:0 1:1 2:2 3:x 4:x");
    CHECK(size_of(env.files, partition.log_file()) < published + bytes.size() + 70);
    stamp_batch(bytes, Offset(5), LeaderEpoch(0));
    add_tail(env, partition.log_file(), as_text(bytes));
    CHECK(append(*log, {"x"}) == Offset(6));
    CHECK(contents(*other) == "0:0 1:1 2:2 3:x 4:x 5:never published 6:x");
    CHECK(faults_of(*log) == "");
    CHECK(env.notices() == "");
  }
}

TEST_CASE("log_append: what a dead writer left in the indexes misleads nobody") {
  // It wrote the index entries, and died before it published. Of its batch only a part is there.
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 5);
  const LogPosition before = log->current_state()->position();
  for (int i = 0; i < 2; ++i) append(*log, {"g", "h", "i", "j", "k", "l"}, 1'000'000);  // indexed
  publish(log->current_state()->page(), before);
  must(must(env.files.open(partition.log_file(), OpenMode::write))
           ->truncate(static_cast<uint64_t>(before.segment_bytes) + 70));
  append(*log, {"5"}, 5000);
  append(*log, {"6"}, 6000);
  CHECK(contents(*log) == numbers(0, 7));
  for (int64_t n = 0; n < 7; ++n) CHECK(contents(*log, n) == numbers(n, 7));
  CHECK(faults_of(*log) == "");
  CHECK(must(find_offset_by_time(*log, 4500, Offset(0), Offset(7))) == Offset(5));
  CHECK(must(find_offset_by_time(*log, 1'500'000, Offset(0), Offset(7))) == Offset(7));
}

TEST_CASE("log_append: a stale time entry behind the published ones does not hide records") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 5);  // times to 1040
  const LogPosition before = log->current_state()->position();
  append(*log, {"a", "b", "c", "d", "e", "f"}, 1050);
  append(*log, {"a"}, 1060);  // its entry says: up to offset 11, nothing is later than 1060
  REQUIRE(log->current_state()->position().time_index_bytes > before.time_index_bytes);
  publish(log->current_state()->page(), before);
  must(must(env.files.open(partition.log_file(), OpenMode::write))
           ->truncate(static_cast<uint64_t>(before.segment_bytes) + 70));
  append(*log, {"5"}, 5000);
  REQUIRE(log->current_state()->position().time_index_bytes == before.time_index_bytes);
  CHECK(must(find_offset_by_time(*log, 4500, Offset(0), Offset(6))) == Offset(5));
}

TEST_CASE("log_append: a log shorter than what was published is damage, and the log goes on behind it") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append_numbers(*log, 0, 5);
  must(must(env.files.open(partition.log_file(), OpenMode::write))
           ->truncate(size_of(env.files, partition.log_file()) - 1));
  CHECK(append(*log, {"5"}) == Offset(5));
  CHECK(contents(*log) == "0:0 1:1 2:2 3:3 !corrupt");
  CHECK(contents(*log, 5) == "5:5");
  CHECK(env.notices().find("'t-0' is damaged: offsets 4 to 4 cannot be read") != std::string::npos);
  CHECK(env.notices().find("pg-topic verify") != std::string::npos);
  CHECK(faults_of(*log) != "");
}

TEST_CASE("log_append: an active segment that vanished is damage too") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 20);
  const auto bases = must(list_segments(env.files, partition.directory()));
  REQUIRE(bases.size() == 2);
  must(env.files.unlink(partition.log_file(bases.back().value)));
  CHECK(append(*log, {"20"}) == Offset(20));
  CHECK(contents(*log, 20) == "20:20");
  CHECK(contents(*log) == numbers(0, bases.back().value) + " !corrupt");
}

TEST_CASE("log_append: the mark of a roll that a dead writer began is cleared, with its files") {
  for (const bool whole : {true, false}) {
    CAPTURE(whole);
    TestEnv env;
    TestPartition partition(env, tiny_segments());
    const auto log = partition.open();
    append_numbers(*log, 0, 3);
    log->current_state()->page().rolling = 3 + 1;
    overwrite(env.files, partition.log_file(3), "");
    if (whole) overwrite(env.files, partition.time_index(3), "stale");
    append_numbers(*log, 3, 1);
    CHECK(partition.files_ending(".log") == "00000000000000000000.log");
    CHECK_FALSE(exists(env.files, partition.time_index(3)));
    CHECK(log->current_state()->page().rolling == 0);
    append_numbers(*log, 4, 30);
    CHECK(contents(*log) == numbers(0, 34));
    CHECK(faults_of(*log) == "");
  }
}

TEST_CASE("log_append: a roll that was published before its writer died keeps its segment") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 20);
  const int64_t base = log->current_state()->position().active_segment.value;
  log->current_state()->page().rolling = base + 1;  // it died between publishing and clearing the mark
  append_numbers(*log, 20, 1);
  CHECK(contents(*log) == numbers(0, 21));
}

TEST_CASE("log_append: a spoilt mark of a roll removes no segment") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 20);
  log->current_state()->page().rolling = 0 + 1;
  append_numbers(*log, 20, 1);
  CHECK(log->current_state()->page().rolling == 0);
  CHECK(contents(*log) == numbers(0, 21));
}

TEST_CASE("log_append: a spoilt position is not believed, and cuts nothing off") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append_numbers(*log, 0, 5);
  StatePage& page = log->current_state()->page();
  page.copies[page.sequence & 1].field[1] -= 1;  // segment_bytes
  append_numbers(*log, 5, 1);
  CHECK(contents(*log) == numbers(0, 6));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_append: lost and short indexes are rebuilt when the segment is opened for writing") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  append_numbers(*partition.open(), 0, 12);
  const std::string index = must(env.files.read_all(partition.offset_index()));
  const std::string times = must(env.files.read_all(partition.time_index()));
  REQUIRE(index.size() >= 24);
  must(env.files.unlink(partition.offset_index()));
  must(must(env.files.open(partition.time_index(), OpenMode::write))->truncate(5));
  const auto log = partition.open();
  append_numbers(*log, 12, 1);
  CHECK(must(env.files.read_all(partition.offset_index())).starts_with(index));
  CHECK(must(env.files.read_all(partition.time_index())).starts_with(times));
  CHECK(contents(*log) == numbers(0, 13));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_append: fenced, follower and offline replicas take nothing") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append_numbers(*log, 0, 1);
  StatePage& page = log->current_state()->page();
  page.fenced = 1;
  CHECK(code_of(try_append(*log, {"x"})) == Errc::fenced);
  page.leader_epoch = 1;
  CHECK(must(try_append(*log, {"1"})).leader_epoch == LeaderEpoch(1));
  page.role = static_cast<uint32_t>(Role::follower);
  CHECK(code_of(try_append(*log, {"x"})) == Errc::not_leader);
  page.role = static_cast<uint32_t>(Role::leader);
  page.failed = 1;
  CHECK(code_of(try_append(*log, {"x"})) == Errc::io);
  page.failed = 0;
  append(*log, {"2"});
  CHECK(contents(*log) == numbers(0, 3));
}

TEST_CASE("log_append: a writer that is seen to hold the lock is named to those who wait, and nobody else") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open(), stopped = partition.open();
  append(*stopped, {"0"});  // leaves its pid in the page, which is no proof that it has the lock
  const auto state = stopped->current_state();
  REQUIRE(must(state->locks().try_lock(lock_byte::kAppend, LockMode::exclusive)));
  TestBatch batch({"1"});
  const Error unseen = error_of(log->append(batch.bytes(), env.clock().after(100ms)));
  CHECK(unseen.code == Errc::timed_out);
  CHECK(unseen.what ==
        "timed out waiting for the append lock of 't-0', held by a process that cannot be seen from here: another "
        "user's, or in another container");
  env.seen_holder = 815;
  const Error seen = error_of(log->append(batch.bytes(), env.clock().after(100ms)));
  CHECK(seen.what == "timed out waiting for the append lock of 't-0', held by process 815 (stopped? see 'ps')");
  state->locks().unlock(lock_byte::kAppend);
  CHECK(append(*log, {"1"}) == Offset(1));
}

TEST_CASE("log_append: nothing is locked between batches") {
  TestEnv env;
  TestPartition partition(env);
  const auto log = partition.open();
  append(*log, {"0"});
  const auto other = partition.open()->current_state();
  for (const uint32_t byte : {lock_byte::kAppend, lock_byte::kFlush, lock_byte::kReplica, lock_byte::kSegmentList}) {
    CHECK(must(other->locks().try_lock(byte, LockMode::exclusive)));
  }
}

TEST_CASE("log_append: a write that fails leaves nothing half-done, whichever call it is") {
  const struct {
    std::string name;
    int sys_errno;
    std::optional<size_t> prefix;
    bool for_ever;
  } rows[] = {{"input/output error", EIO, {}, false},
              {"disk full", ENOSPC, {}, false},
              {"short write, disk full", ENOSPC, 7, false},
              {"short write, no error cleared", EIO, 65, true},
              {"disk full for good", ENOSPC, 7, true}};
  for (const auto& row : rows) {
    for (int64_t n = 1;; ++n) {
      CAPTURE(row.name);
      CAPTURE(n);
      TestEnv env;
      TestPartition partition(env, tiny_segments());
      const auto log = partition.open(), other = partition.open();
      std::string acknowledged = numbers(0, 11);
      append_numbers(*log, 0, 11);
      env.files.arm({.nth = n, .sys_errno = row.sys_errno, .prefix_bytes = row.prefix, .for_ever = row.for_ever});
      int64_t next = 11;
      for (int i = 0; i < 8; ++i) {  // four into this segment, a roll, the rest into the next
        const auto appended = try_append(*log, {std::to_string(next)}, 1000 + 10 * next);
        if (!appended) continue;
        REQUIRE(appended->base_offset == Offset(next));
        ++next;
      }
      env.files.disarm();
      REQUIRE(contents(*other) == numbers(0, next));  // all of it is readable at once, and no more
      REQUIRE(contents(*log) == numbers(0, next));
      PartitionLog& writer = n % 2 == 0 ? *log : *other;
      append_numbers(writer, next, 15);
      REQUIRE(contents(*log) == numbers(0, next + 15));
      REQUIRE(contents(*partition.open()) == numbers(0, next + 15));
      REQUIRE(faults_of(*log) == "");
      if (env.files.fired() == 0) {
        MESSAGE(row.name, ": every one of ", n - 1, " calls failed");
        CHECK(n > 50);
        break;
      }
    }
  }
}

TEST_CASE("log_append: after any failed write, the files alone hold the same log") {
  // As above, and then the machine stops: what recovery finds is what was acknowledged.
  for (int64_t n = 1;; ++n) {
    CAPTURE(n);
    TestEnv env;
    TestPartition partition(env, tiny_segments());
    auto log = partition.open();
    append_numbers(*log, 0, 11);
    env.files.arm({.nth = n, .sys_errno = ENOSPC, .prefix_bytes = 30});
    int64_t next = 11;
    for (int i = 0; i < 8; ++i) {
      if (try_append(*log, {std::to_string(next)}, 1000 + 10 * next)) ++next;
    }
    env.files.disarm();
    log.reset();
    env.reboot();
    log = partition.open();
    REQUIRE(contents(*log) == numbers(0, next));
    append_numbers(*log, next, 3);
    REQUIRE(contents(*log) == numbers(0, next + 3));
    REQUIRE(faults_of(*log) == "");
    if (env.files.fired() == 0) break;
  }
}

TEST_CASE("log_append: a conditional append is made only where nothing changed since") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, tiny_segments());
    const auto one = partition.open(), other = partition.open();
    LogEnd seen{Offset(0), LeaderEpoch(0)};
    for (int64_t n = 0; n < 60; n += 2) {  // over several segments
      seen.log_end = must(one->append_if(seen, TestBatch({std::to_string(n)}).bytes(), env.soon())).value().end_offset;
      append(*other, {std::to_string(n + 1)});
      CHECK_FALSE(must(one->append_if(seen, TestBatch({"x"}).bytes(), env.soon())));
      seen.log_end = Offset(n + 2);
      CHECK_FALSE(must(one->append_if({seen.log_end, LeaderEpoch(1)}, TestBatch({"x"}).bytes(), env.soon())));
    }
    CHECK(contents(*other) == numbers(0, 60));
    CHECK(faults_of(*one) == "");
  }
}

TEST_CASE("log_append: of those who decided on the same end, one appends") {
  TestEnv env(Machine::disk);
  TestPartition partition(env);
  constexpr int kThreads = 4;
  std::atomic<int> appended = 0;
  for (int64_t round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        const auto log = partition.open();
        if (must(log->append_if({Offset(round), LeaderEpoch(0)}, TestBatch({"v"}).bytes(), env.soon()))) ++appended;
      });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(appended == round + 1);
  }
}
