// Many threads on one partition: through one PartitionLog that they share, and each through its own, as processes do.
// Run under TSan too.
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/printing.h"
#include "tests/support/test_log.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

constexpr int kWriters = 4, kReaders = 2, kBatches = 50;

// Reads until every record of every writer was seen, sleeping on the page in between. Returns what it saw.
std::vector<std::string> follow(PartitionLog& log) {
  std::vector<std::string> seen;
  LogReader reader(log, Offset(0));
  Decompressor decompressor;
  Clock& clock = log.env().clock;
  while (seen.size() < static_cast<size_t>(kWriters * kBatches)) {
    const auto state = must(log.state(kNoDeadline));
    const WakeWord word = state->prepare_to_sleep();
    const auto batch = must(reader.next(state->high_watermark()));
    if (!batch) {
      clock.wait({&word, 1}, 100ms);
      continue;
    }
    auto cursor = must(RecordCursor::begin(batch->bytes, batch->header, decompressor));
    for (RecordView record; must(cursor.next(record));) {
      PG_ASSERT(record.offset.value == static_cast<int64_t>(seen.size()));
      seen.emplace_back(*record.value);
    }
  }
  return seen;
}

// Whether each writer's records are all there, once and in its order.
bool is_complete(const std::vector<std::string>& seen) {
  std::map<char, int> next;
  for (const auto& value : seen) {
    if (value != fmt::format("{}{}", value[0], next[value[0]]++)) return false;
  }
  return seen.size() == static_cast<size_t>(kWriters * kBatches);
}

void run(Machine machine, bool share, bool flush) {
  CAPTURE(machine == Machine::disk);
  CAPTURE(share);
  TestEnv env(machine);
  TestPartition partition(env, tiny_segments());
  std::vector<std::unique_ptr<PartitionLog>> logs;
  for (int i = 0; i < (share ? 1 : kWriters + kReaders); ++i) logs.push_back(partition.open());
  const auto log_of = [&](int i) -> PartitionLog& { return *logs[share ? 0 : static_cast<size_t>(i)]; };

  std::vector<std::vector<std::string>> seen(kReaders);
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < kBatches; ++i) {
        // No deadline: on a manual clock each sleep of a follower is time that passes for those who wait for a lock.
        must(log_of(w).append(TestBatch({fmt::format("{}{}", static_cast<char>('a' + w), i)}).bytes(), kNoDeadline));
        if (flush && i % 10 == 0) must(log_of(w).flush(kNoDeadline));
      }
    });
  }
  for (int r = 0; r < kReaders; ++r) {
    threads.emplace_back([&, r] { seen[static_cast<size_t>(r)] = follow(log_of(kWriters + r)); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& one : seen) CHECK(is_complete(one));
  CHECK((seen[0] == seen[1]));
  CHECK(faults_of(log_of(0)) == "");
  CHECK(env.notices() == "");
}

}  // namespace

TEST_CASE("log_threads: four writers and two followers share one log object") {
  for (const Machine machine : kEveryMachine) run(machine, true, false);
}

TEST_CASE("log_threads: four writers and two followers, each with its own") {
  for (const Machine machine : kEveryMachine) run(machine, false, false);
}

TEST_CASE("log_threads: the same with flushes in between") {
  run(Machine::disk, true, true);
  run(Machine::disk, false, true);
}

TEST_CASE("log_threads: a page that vanishes under writers and readers is made anew, and no record is lost") {
  TestEnv env(Machine::disk);
  TestPartition partition(env, tiny_segments());
  std::atomic<bool> done = false;
  std::mutex mutex;
  std::set<int64_t> offsets;
  std::vector<std::thread> threads;
  for (int w = 0; w < 3; ++w) {
    threads.emplace_back([&] {
      const auto log = partition.open();
      while (!done) {
        const Offset offset = append(*log, {"x"});
        const std::lock_guard guard(mutex);
        PG_ASSERT(offsets.insert(offset.value).second);
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(10ms);
    (void)env.files.unlink(partition.page_file());
  }
  done = true;
  for (auto& thread : threads) thread.join();
  const auto log = partition.open();
  CHECK(log->current_state()->position().log_end.value == static_cast<int64_t>(offsets.size()));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("log_threads: writers meet a deletion and end") {
  TestEnv env(Machine::disk);
  TestPartition partition(env, tiny_segments());
  std::atomic<int> written = 0, ended = 0;
  std::vector<std::thread> threads;
  for (int w = 0; w < 3; ++w) {
    threads.emplace_back([&, log = partition.open()] {
      for (;;) {
        const auto appended = try_append(*log, {"x"});
        if (appended) {
          ++written;
          continue;
        }
        if (appended.error().code == Errc::not_found) ++ended;
        return;
      }
    });
  }
  while (written < 30) std::this_thread::sleep_for(1ms);
  must(partition.remove());
  for (auto& thread : threads) thread.join();
  CHECK(ended == 3);
  CHECK(must(env.files.list(env.root())).empty());
}
