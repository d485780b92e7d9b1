#include "core/log/retention.h"

#include "core/log/replica_words.h"
#include "core/log/segment_files.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"
#include "tests/support/test_replica.h"

using namespace pg;

namespace {

constexpr int64_t kHourMs = 60 * 60 * 1000;

LogConfig retention(int64_t ms, int64_t bytes) {
  LogConfig config = tiny_segments();
  config.retention_ms = ms;
  config.retention_bytes = bytes;
  config.file_delete_delay_ms = 0;
  return config;
}

std::vector<Offset> segments(const TestPartition& partition) {
  return must(list_segments(partition.env.files, partition.directory()));
}

// Wall clock and monotonic clock go on together, as when time passes.
void pass(TestEnv& env, int64_t ms) {
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + ms);
  env.manual_clock.advance(std::chrono::milliseconds(ms));
}

// A record every second, beginning now.
void append_each_second(PartitionLog& log, int64_t from, int64_t count) {
  const int64_t now_ms = log.env().clock.wall_ms();
  for (int64_t n = from; n < from + count; ++n) append(log, {std::to_string(n)}, now_ms + 1000 * (n - from));
}

PartitionLog::Removed retain(PartitionLog& log, ActiveSegmentToo active = ActiveSegmentToo::yes) {
  const auto now_ms = believed_wall_ms(log.env(), log.current_state()->page());
  return must(apply_retention(log, now_ms, active, log.env().clock.after(std::chrono::seconds(30))));
}

}  // namespace

TEST_CASE("retention: nothing is deleted that nobody asked to delete") {
  TestEnv env;
  TestPartition partition(env, retention(-1, -1));
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  pass(env, 1000 * 24 * kHourMs);
  CHECK(retain(*log).segments == 0);
  CHECK(contents(*log) == numbers(0, 60));
}

TEST_CASE("retention: by size, segments go from the start while what stays is not less than retention.bytes") {
  TestEnv env;
  TestPartition partition(env, retention(-1, 3000));
  const auto log = partition.open();
  append_numbers(*log, 0, 60);
  const int64_t start = log->current_state()->position().log_start.value;
  CHECK(start > 0);  // each roll has seen to it
  const auto measured = must(measure_segments(*log, *log->current_state()));
  int64_t bytes = 0;
  for (const Segment& segment : measured) bytes += segment.bytes;
  CHECK(bytes >= 3000);
  CHECK(bytes - measured.front().bytes < 3000 + 1024);
  CHECK(measured.front().base.value == start);
  CHECK(contents(*log, start) == numbers(start, 60));
  CHECK(faults_of(*log).empty());
}

TEST_CASE("retention: by size, what stays may be exactly retention.bytes") {
  for (const int64_t more : {0, 1}) {
    CAPTURE(more);
    TestEnv env;
    TestPartition partition(env, retention(-1, -1));
    append_numbers(*partition.open(), 0, 60);
    const auto log = partition.open();
    const auto measured = must(measure_segments(*log, *log->current_state()));
    int64_t bytes = 0;
    for (const Segment& segment : measured) bytes += segment.bytes;
    partition.config.retention_bytes = bytes - measured.front().bytes + more;
    CHECK(retain(*partition.open(), ActiveSegmentToo::no).segments == 1 - more);
  }
}

TEST_CASE("retention: what is not committed stays, and asking for the rest is no error") {
  for (const bool by_age : {false, true}) {
    CAPTURE(by_age);
    TestEnv env;
    TestReplica leader(env, 1, by_age ? retention(kHourMs, -1) : retention(-1, 500));
    leader.lead('a', {BrokerId(1), BrokerId(2)});
    leader.write(std::string(60, 'a'));
    pass(env, 24 * kHourMs);
    const auto slot = slot_of(leader.page(), BrokerId(2));
    REQUIRE(slot);
    begin_slot(leader.page(), *slot, LeaderEpoch(0), Offset(0), Offset(0));
    CHECK(retain(*leader, ActiveSegmentToo::no).segments == 0);
    const auto segments = leader.segments();
    REQUIRE(segments.size() > 4);
    report_to_slot(leader.page(), *slot, segments[2] + 1, Offset(0));
    CHECK(retain(*leader, ActiveSegmentToo::no).segments == 2);
    CHECK(leader.position().log_start == segments[2]);
    CHECK(env.notices().empty());
  }
}

TEST_CASE("retention: by age, a segment goes once its latest record is too old, the active one too") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  append_each_second(*log, 0, 60);
  const auto bases = segments(partition);
  REQUIRE(bases.size() > 3);
  pass(env, kHourMs);
  CHECK(retain(*log).segments == 0);
  pass(env, bases[2].value * 1000);  // everything below the third segment is older than an hour now
  CHECK(retain(*log, ActiveSegmentToo::no).segments == 2);
  CHECK(contents(*log, bases[2].value) == numbers(bases[2].value, 60));
  pass(env, 2 * kHourMs);
  retain(*log, ActiveSegmentToo::no);
  CHECK(segments(partition) == std::vector{bases.back()});
  retain(*log);
  CHECK(segments(partition) == std::vector{Offset(60)});
  CHECK(append(*log, {"new"}) == Offset(60));
  CHECK(contents(*log, 60) == "60:new");
}

TEST_CASE("retention: one late record keeps its segment, whatever the index says") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  const int64_t now_ms = env.clock().wall_ms();
  append(*log, {"late"}, now_ms + 10 * kHourMs);
  append_each_second(*log, 1, 60);
  REQUIRE(segments(partition).size() > 2);
  overwrite(env.files, partition.time_index(), "");
  pass(env, 5 * kHourMs);
  CHECK(retain(*log).segments == 0);
  flip_bits(env.files, partition.log_file(), 8);  // its length: nobody can tell any more
  pass(env, 15 * kHourMs);
  CHECK(retain(*log).segments == 0);
}

TEST_CASE("retention: a clock that jumps ahead deletes nothing, until somebody says that it is right") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  StatePage& page = log->current_state()->page();
  append_each_second(*log, 0, 60);
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 30 * kHourMs);
  CHECK(!believed_wall_ms(env.env(), page));
  append_each_second(*log, 60, 30);  // rolls
  CHECK(log->current_state()->position().log_start == Offset(0));
  CHECK(env.notices().find("pg-topic compact --yes") != std::string::npos);
  pass(env, 2 * kHourMs);
  CHECK(!believed_wall_ms(env.env(), page));
  CHECK(believed_wall_ms(env.env(), page, true));
  CHECK(retain(*log).segments > 0);
  pass(env, 1000 * kHourMs);  // a month in which nobody looked is no jump
  CHECK(believed_wall_ms(env.env(), page));
}

TEST_CASE("retention: after a restart the clock is compared with when the files were last touched") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  {
    const auto log = partition.open();
    append_each_second(*log, 0, 60);
  }
  env.reboot();
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 23 * kHourMs);
  CHECK(believed_wall_ms(env.env(), partition.open()->current_state()->page()));
  env.reboot();
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 25 * kHourMs);
  const auto log = partition.open();
  CHECK(!believed_wall_ms(env.env(), log->current_state()->page()));
  CHECK(retain(*log).segments == 0);
}

TEST_CASE("retention: whichever call fails, an append does not, and everything that is not deleted can be read") {
  for (int64_t nth = 1;; ++nth) {
    TestEnv env;
    TestPartition partition(env, retention(-1, 2000));
    const auto log = partition.open();
    append_numbers(*log, 0, 40);
    env.files.arm({.nth = nth});
    const auto done = apply_retention(*log, {}, ActiveSegmentToo::no, env.soon());
    INFO("call " << nth);
    const bool fired = env.files.fired() > 0;
    env.files.disarm();
    append_numbers(*log, 40, 20);
    const int64_t start = must(log->state(env.soon()))->position().log_start.value;
    CHECK(contents(*log, start) == numbers(start, 60));
    retain(*log);
    CHECK(faults_of(*log).empty());
    if (!fired) break;
  }
}

TEST_CASE("retention: an index that says a segment is older than its records deletes nothing") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  append_each_second(*log, 0, 60);
  REQUIRE(segments(partition).size() > 2);
  // Every entry of the first segment's time index says 1970.
  std::string index = must(env.files.read_all(partition.time_index()));
  REQUIRE(index.size() >= 12);
  for (size_t at = 0; at < index.size(); ++at) {
    if (at % 12 < 8) index[at] = at % 12 == 7 ? 1 : 0;
  }
  overwrite(env.files, partition.time_index(), index);
  pass(env, kHourMs / 2);
  CHECK(retain(*log).segments == 0);
  CHECK(contents(*log) == numbers(0, 60));
}

TEST_CASE("retention: a record of the future keeps what is behind it, which is said once, with what to do") {
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  const int64_t now_ms = env.clock().wall_ms();
  append(*log, {"2099"}, now_ms + 1000 * 24 * kHourMs);
  append_each_second(*log, 1, 60);
  const auto bases = segments(partition);
  REQUIRE(bases.size() > 3);
  env.clear_notices();
  pass(env, 5 * kHourMs);
  CHECK(retain(*log, ActiveSegmentToo::no).segments == 0);
  const std::string said = env.notices();
  CHECK(said.find("in the future") != std::string::npos);
  CHECK(said.find(std::to_string(bases.size() - 2) + " segments") != std::string::npos);
  CHECK(said.find("pg-topic trim t -p 0 -o " + std::to_string(bases[1].value) + " --yes") != std::string::npos);
  retain(*log, ActiveSegmentToo::no);
  CHECK(env.notices() == said);
  must(log->raise_log_start(bases[1], env.soon()));
  CHECK(retain(*log, ActiveSegmentToo::no).segments == static_cast<int64_t>(bases.size()) - 1);
}

TEST_CASE("retention: time in which the machine was suspended is no jump of the clock") {
  class Sleeper final : public Clock {
   public:
    explicit Sleeper(ManualClock& real) : real_(real) {}
    int64_t wall_ms() override { return real_.wall_ms() + slept_ms; }
    Deadline now() override { return real_.now(); }
    int64_t boot_ms() override { return real_.boot_ms() + slept_ms; }
    void wait(std::span<const WakeWord> words, Duration at_most) override { real_.wait(words, at_most); }
    void wake(const std::atomic<uint32_t>& word) override { real_.wake(word); }
    int64_t slept_ms = 0;

   private:
    ManualClock& real_;
  };
  TestEnv env;
  TestPartition partition(env, retention(kHourMs, -1));
  const auto log = partition.open();
  Sleeper clock(env.manual_clock);
  const Env real = env.env();
  const Env shown{
      .files = real.files, .clock = clock, .random = real.random, .boot_id = real.boot_id, .process = real.process};
  StatePage& page = log->current_state()->page();
  CHECK(believed_wall_ms(shown, page));
  clock.slept_ms = 100 * kHourMs;
  CHECK(believed_wall_ms(shown, page));
}
