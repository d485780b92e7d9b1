#include "core/log/segment_list.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kAtOnce{0};

PartitionLog::Removed trim(PartitionLog& log, int64_t offset, Deadline deadline) {
  must(log.raise_log_start(Offset(offset), deadline));
  return must(log.delete_old_segments(kAtOnce, deadline));
}

std::string read_from(PartitionLog& log, int64_t offset) {
  LogReader reader(log, Offset(offset));
  const auto batch = reader.next(log.current_state()->high_watermark());
  if (batch) return *batch ? "batch" : "end";
  return batch.error().code == Errc::out_of_range ? "out_of_range" : batch.error().message();
}

std::vector<Offset> segments(const TestPartition& partition) {
  return must(list_segments(partition.env.files, partition.directory()));
}

}  // namespace

TEST_CASE("log_trim: what is below the start cannot be asked for, and whole segments below it are gone") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, tiny_segments());
    const auto log = partition.open();
    append_numbers(*log, 0, 60);
    const auto bases = segments(partition);
    REQUIRE(bases.size() > 3);
    const int64_t start = bases[2].value + 1;
    const auto removed = trim(*log, start, env.soon());
    CHECK(removed.segments == 2);
    CHECK(removed.bytes > 0);
    CHECK(segments(partition).front() == bases[2]);
    CHECK(partition.files_ending(".deleted").empty());
    CHECK(contents(*log, start) == numbers(start, 60));
    CHECK(read_from(*log, start - 1) == "out_of_range");
    CHECK(faults_of(*log).empty());
    append_numbers(*log, 60, 3);
    CHECK(contents(*log, start) == numbers(start, 63));
  }
}

TEST_CASE("log_trim: the start never goes down, and never above the high watermark") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 10);
  must(log->raise_log_start(Offset(5), env.soon()));
  must(log->raise_log_start(Offset(3), env.soon()));
  CHECK(log->current_state()->position().log_start == Offset(5));
  CHECK(code_of(log->raise_log_start(Offset(11), env.soon())) == Errc::out_of_range);
  CHECK(contents(*log, 5) == numbers(5, 10));
}

TEST_CASE("log_trim: the start outlives a restart of the machine, also where it is above the end") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  int64_t torn_size = 0;
  {
    const auto log = partition.open();
    append_numbers(*log, 0, 30);
    must(log->raise_log_start(Offset(30), env.soon()));
    torn_size = log->current_state()->position().segment_bytes;
    CHECK(read_from(*log, 29) == "out_of_range");
  }
  env.reboot();
  {
    const auto log = partition.open();
    CHECK(log->current_state()->position().log_start == Offset(30));
    CHECK(contents(*log, 30).empty());
  }
  // What was deleted had not reached the disk: no offset gets another value for that.
  const Offset last = segments(partition).back();
  must(must(env.files.open(partition.log_file(last.value), OpenMode::write))
           ->truncate(static_cast<uint64_t>(torn_size / 2)));
  env.reboot();
  const auto log = partition.open();
  CHECK(log->current_state()->position().log_start == Offset(30));
  CHECK(append(*log, {"30"}) == Offset(30));
  must(log->delete_old_segments(kAtOnce, env.soon()));
  CHECK(contents(*log, 30) == "30:30");
  CHECK(faults_of(*log).empty());
}

TEST_CASE("log_trim: with the checkpoint spoilt, the log starts at its first segment") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  Offset first;
  {
    const auto log = partition.open();
    append_numbers(*log, 0, 60);
    first = segments(partition)[1];
    trim(*log, first.value, env.soon());
  }
  overwrite(env.files, names::log_start_checkpoint(env.root()), "spoilt");
  env.reboot();
  const auto log = partition.open();
  CHECK(log->current_state()->position().log_start == first);
  CHECK(contents(*log, first.value) == numbers(first.value, 60));
}

TEST_CASE("log_trim: of two at once the higher start stays") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  const auto other = partition.open();
  // The other one comes in full between the checkpoint of the first and its append lock.
  env.files.before_call([&, done = false](Call kind, const std::string& path) mutable {
    if (done || kind != Call::lock || !path.ends_with("partition.lock")) return;
    done = true;
    must(other->raise_log_start(Offset(20), env.soon()));
  });
  must(log->raise_log_start(Offset(10), env.soon()));
  env.files.before_call({});
  CHECK(log->current_state()->position().log_start == Offset(20));
  CHECK(contents(*log, 20) == numbers(20, 60));
}

TEST_CASE("log_trim: a reader in a deleted segment reads it to its end, and is then told") {
  TestEnv env(Machine::disk);
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  const auto bases = segments(partition);
  LogReader reader(*log, Offset(0));
  REQUIRE(must(reader.next(Offset(60))));
  trim(*log, bases[2].value, env.soon());
  while (reader.next_offset() < bases[1]) REQUIRE(must(reader.next(Offset(60))));
  const auto next = reader.next(Offset(60));
  REQUIRE(code_of(next) == Errc::out_of_range);
  CHECK(next.error().what.find(std::to_string(bases[1].value)) != std::string::npos);
  CHECK(next.error().what.find(std::to_string(bases[2].value)) != std::string::npos);
}

TEST_CASE("log_trim: deleted files stay for a while under another name") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  const auto second = segments(partition)[1];
  must(log->raise_log_start(second, env.soon()));
  must(log->delete_old_segments(milliseconds(1000), env.soon()));
  CHECK(partition.files_ending(".deleted") ==
        "00000000000000000000.index.deleted 00000000000000000000.log.deleted 00000000000000000000.timeindex.deleted");
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 999);
  must(log->delete_old_segments(milliseconds(1000), env.soon()));
  CHECK(!partition.files_ending(".deleted").empty());
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 2);
  must(log->delete_old_segments(milliseconds(1000), env.soon()));
  CHECK(partition.files_ending(".deleted").empty());
}

TEST_CASE("log_trim: whichever call fails, what was not deleted can be read, and trying again deletes the rest") {
  for (int64_t nth = 1;; ++nth) {
    TestEnv env;
    TestPartition partition(env, tiny_segments());
    auto log = partition.open();
    append_numbers(*log, 0, 60);
    const auto bases = segments(partition);
    const int64_t start = bases[2].value + 1;
    env.files.arm({.nth = nth});
    auto done = log->raise_log_start(Offset(start), env.soon());
    if (done) done = log->delete_old_segments(kAtOnce, env.soon()).map([](const auto&) {});
    const bool fired = env.files.fired() > 0;
    env.files.disarm();
    INFO("call " << nth);
    const int64_t from = must(log->state(env.soon()))->position().log_start.value;
    CHECK((from == 0 || from == start));
    CHECK(contents(*log, from) == numbers(from, 60));
    if (nth % 2 == 0) {  // by the next process, or by this one
      log.reset();
      env.reboot();
      log = partition.open();
    }
    trim(*log, start, env.soon());
    CHECK(segments(partition).front() == bases[2]);
    CHECK(contents(*log, start) == numbers(start, 60));
    CHECK(faults_of(*log).empty());
    if (!fired) break;
  }
}

TEST_CASE("segment_list: who finds a change half done finishes it") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  auto log = partition.open();
  append_numbers(*log, 0, 60);
  const auto bases = segments(partition);
  // A dead process: the first segment's twin was to take the place of the first segment.
  const auto twin = [&](names::SegmentFile kind, names::SegmentStage stage) {
    return names::segment(partition.directory(), bases[0], kind, stage);
  };
  for (const auto kind : names::kSegmentFiles) {
    if (kind == names::SegmentFile::snapshot) continue;  // there are no producer ids
    must(env.files.open(twin(kind, names::SegmentStage::swap), OpenMode::create_new));
    overwrite(env.files, twin(kind, names::SegmentStage::swap),
              must(env.files.read_all(twin(kind, names::SegmentStage::live))));
  }
  SUBCASE("a reader of this boot") {
    log->current_state()->page().segment_list.fetch_add(1);
    CHECK(contents(*log) == numbers(0, 60));
    CHECK(log->current_state()->page().segment_list.load() == 2);
  }
  SUBCASE("recovery") {
    log.reset();
    env.reboot();
    CHECK(contents(*partition.open()) == numbers(0, 60));
  }
  CHECK(partition.files_ending(".swap").empty());
}

TEST_CASE("segment_list: a reader waits while the list changes, and is told if that does not end") {
  TestEnv env;
  TestPartition partition(env, tiny_segments());
  const auto log = partition.open();
  append_numbers(*log, 0, 10);
  const auto other = partition.open();
  const auto lock = must(
      HeldLock::acquire(other->current_state()->locks(), lock_byte::kSegmentList, LockMode::exclusive, env.soon()));
  other->current_state()->page().segment_list.fetch_add(1);
  LogReader reader(*log, Offset(0));
  CHECK(code_of(reader.next(Offset(10))) == Errc::busy);
  other->current_state()->page().segment_list.fetch_add(1);
  CHECK(must(reader.next(Offset(10))));
}
