#include "core/log/compaction.h"

#include <fmt/format.h>

#include <map>
#include <thread>

#include "core/log/segment_files.h"
#include "tests/support/power_cut.h"
#include "tests/support/printing.h"
#include "tests/support/test_log.h"
#include "tests/support/test_replica.h"

using namespace pg;

namespace {

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;

LogConfig compacted() {
  LogConfig config = tiny_segments();
  config.cleanup_delete = false;
  config.cleanup_compact = true;
  config.min_cleanable_dirty_ratio = 0;
  config.file_delete_delay_ms = 0;
  return config;
}

struct KeyValue {
  std::string key;
  std::optional<std::string> value;  // empty: a tombstone
};

Offset put(PartitionLog& log, const std::vector<KeyValue>& records, int64_t producer_id = -1, int32_t sequence = 0) {
  BatchBuilder builder;
  for (const auto& [key, value] : records) {
    PG_ASSERT(builder.add({.key = key, .value = value}, log.env().clock.wall_ms(), kBatchBytesMax));
  }
  const MutableBytes batch = builder.finish();
  BatchHeader header = read_batch_header(batch);
  header.producer.id = producer_id;
  header.producer.epoch = producer_id < 0 ? -1 : 0;
  header.producer.sequence = producer_id < 0 ? -1 : sequence;
  write_batch_header(batch, header);
  return must(log.append(batch, log.env().clock.after(std::chrono::seconds(30)))).base_offset;
}

CompactionResult compact(PartitionLog& log, size_t map_bytes = kCompactionMapBytes) {
  return must(compact_log(log, log.env().clock.wall_ms(), log.env().clock.after(std::chrono::seconds(30)), map_bytes));
}

// Every record: "offset:key=value".
std::vector<std::string> records_of(PartitionLog& log, int64_t from = 0) {
  std::vector<std::string> all;
  LogReader reader(log, std::max(Offset(from), log.current_state()->position().log_start));
  Decompressor decompressor;
  while (const auto batch = must(reader.next(log.current_state()->high_watermark()))) {
    auto records = must(RecordCursor::begin(batch->bytes, batch->header, decompressor));
    for (RecordView record; must(records.next(record));) {
      if (record.offset.value < from) continue;
      all.push_back(
          fmt::format("{}:{}={}", record.offset.value, record.key.value_or("null"), record.value.value_or("null")));
    }
  }
  return all;
}

std::map<std::string, std::string> table_of(PartitionLog& log) {
  std::map<std::string, std::string> table;
  for (const auto& record : records_of(log)) {
    const auto colon = record.find(':'), equals = record.find('=');
    const std::string key = record.substr(colon + 1, equals - colon - 1), value = record.substr(equals + 1);
    if (value == "null")
      table.erase(key);
    else
      table[key] = value;
  }
  return table;
}

std::vector<Offset> segments(const TestPartition& partition) {
  return must(list_segments(partition.env.files, partition.directory()));
}

Offset cleaned_to(const TestPartition& partition) {
  return must(LogDirectory(partition.env.env(), partition.env.root()).cleaned_to(partition.spec().partition));
}

// Whether another process compacts, so that a cut or a trim would wait.
bool is_busy(PartitionLog& log) {
  LockFile& locks = log.current_state()->locks();
  const std::string& log_directory = log.spec().log_directory;
  if (must(must(log.env().files.open_lock(names::log_directory_lock(log_directory), Access::read_write))->is_held(0)))
    return true;
  return must(locks.is_held(lock_byte::kAppend)) || must(locks.is_held(lock_byte::kFlush)) ||
         must(locks.is_held(lock_byte::kSegmentList));
}

// `count` batches of one record over and over the same few keys.
void fill(PartitionLog& log, int count, int keys = 3) {
  for (int i = 0; i < count; ++i) put(log, {{fmt::format("k{}", i % keys), fmt::format("v{}", i)}});
}

}  // namespace

TEST_CASE("compaction: each key keeps its last record, at its offset; the active segment is left alone") {
  for (const Machine machine : kEveryMachine) {
    TestEnv env(machine);
    TestPartition partition(env, compacted());
    const auto log = partition.open();
    fill(*log, 100);
    const auto before = records_of(*log);
    const Offset active = log->current_state()->position().active_segment;
    const auto result = compact(*log);
    CHECK(result.records == active.value - 3);
    CHECK(result.bytes > 0);
    CHECK(segments(partition) == std::vector{Offset(0), active});
    std::vector<std::string> expected(before.begin() + active.value - 3, before.end());
    CHECK(records_of(*log) == expected);
    CHECK(records_of(*log, active.value - 2) == std::vector(expected.begin() + 1, expected.end()));
    CHECK(faults_of(*log) == "");
    CHECK(partition.files_ending(".cleaned").empty());
    CHECK(partition.files_ending(".swap").empty());
    CHECK(compact(*log).records == 0);
  }
}

TEST_CASE("compaction: a compacted log is recovered after a restart, with or without its indexes") {
  TestEnv env;
  TestPartition partition(env, compacted());
  std::vector<std::string> expected;
  {
    const auto log = partition.open();
    fill(*log, 100);
    compact(*log);
    expected = records_of(*log);
  }
  env.reboot();
  CHECK(records_of(*partition.open()) == expected);
  must(env.files.unlink(partition.offset_index()));
  must(env.files.unlink(partition.time_index()));
  env.reboot();
  const auto log = partition.open();
  CHECK(records_of(*log) == expected);
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: a tombstone outlives what it deletes by delete.retention.ms") {
  TestEnv env;
  LogConfig config = compacted();
  config.delete_retention_ms = 2 * kDayMs;
  TestPartition partition(env, config);
  const auto log = partition.open();
  put(*log, {{"gone", "v"}, {"kept", "v"}});
  put(*log, {{"gone", {}}});
  const auto has_tombstone = [&] {
    const auto records = records_of(*log);
    return std::find(records.begin(), records.end(), "2:gone=null") != records.end();
  };
  fill(*log, 40);
  compact(*log);
  CHECK(has_tombstone());
  CHECK(records_of(*log).front() == "1:kept=v");
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 2 * kDayMs - 1);
  fill(*log, 40);
  compact(*log);
  CHECK(has_tombstone());
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 1);
  fill(*log, 40);
  compact(*log);
  CHECK(!has_tombstone());
  CHECK(records_of(*log).front() == "1:kept=v");
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: a producer's last batch stays, without its records") {
  TestEnv env;
  TestPartition partition(env, compacted());
  const auto log = partition.open();
  put(*log, {{"k0", "a"}, {"k1", "a"}}, 7, 0);
  put(*log, {{"k0", "b"}, {"k1", "b"}}, 7, 2);
  put(*log, {{"k0", "c"}}, 8, 0);
  fill(*log, 60);
  compact(*log);
  std::map<int64_t, BatchHeader> last;
  LogReader reader(*log, Offset(0));
  int batches = 0;
  while (const auto batch = must(reader.next(log->current_state()->high_watermark()))) {
    if (batch->header.producer.id < 0) continue;
    ++batches;
    last[batch->header.producer.id] = batch->header;
  }
  CHECK(batches == 2);
  CHECK(last[7].base_offset == Offset(2));
  CHECK(last[7].producer.sequence == 2);
  CHECK(last[7].last_offset_delta == 1);
  CHECK(last[7].record_count == 0);
  CHECK(last[8].base_offset == Offset(4));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: records without a key, and what is younger than min.compaction.lag.ms, stay") {
  TestEnv env;
  LogConfig config = compacted();
  config.min_compaction_lag_ms = 1000;
  TestPartition partition(env, config);
  const auto log = partition.open();
  append(*log, {"no key"}, env.clock().wall_ms());
  fill(*log, 60);
  CHECK(compact(*log).records == 0);
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 2000);
  fill(*log, 3);
  CHECK(compact(*log).records > 0);
  CHECK(records_of(*log).front() == "0:null=no key");
}

TEST_CASE("compaction: waits until enough is dirty, or one record has waited long enough") {
  TestEnv env;
  LogConfig config = compacted();
  config.min_cleanable_dirty_ratio = 0.9;
  config.max_compaction_lag_ms = kDayMs;
  TestPartition partition(env, config);
  const auto log = partition.open();
  fill(*log, 300, 100);
  CHECK(compact(*log).records > 0);  // everything was dirty
  fill(*log, 60, 20);
  CHECK(compact(*log).records == 0);
  env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + kDayMs + 1);
  const Offset end = log->current_state()->position().log_end;
  CHECK(compact(*log).records > 0);
  CHECK(log->current_state()->position().active_segment == end);  // it was closed for that
}

TEST_CASE("compaction: with little memory it takes several runs, and comes to the same") {
  TestEnv env;
  TestPartition partition(env, compacted());
  const auto log = partition.open();
  SeededRandom random;
  for (int i = 0; i < 600; ++i) put(*log, {{fmt::format("k{}", random.below(100)), fmt::format("v{}", i)}});
  const auto table = table_of(*log);
  compact(*log, 24 * 16);  // a dozen keys
  CHECK(table_of(*log) == table);
  const Offset active = log->current_state()->position().active_segment;
  std::map<std::string, int> seen;
  for (const auto& record : records_of(*log)) {
    if (std::stoll(record) < active.value) ++seen[record.substr(record.find(':'), record.find('=') - record.find(':'))];
  }
  for (const auto& [key, times] : seen) CHECK_MESSAGE(times == 1, key);
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: random puts, deletes, compactions and restarts agree with a map") {
  for (uint64_t round = 0; round < 10; ++round) {
    TestEnv env;
    SeededRandom random(test_seed() + round);
    LogConfig config = compacted();
    config.delete_retention_ms = 1000;
    TestPartition partition(env, config);
    auto log = partition.open();
    std::map<std::string, std::string> model;
    std::map<int64_t, std::string> written;  // what each offset says, for ever
    std::map<int64_t, int32_t> sequences;    // each producer's next one
    for (int step = 0; step < 300; ++step) {
      std::vector<KeyValue> records;
      for (uint64_t n = 1 + random.below(4); n-- > 0;) {
        KeyValue record{fmt::format("k{}", random.below(30)), {}};
        if (!random.one_in(4)) record.value = random.bytes(random.below(50)) + fmt::format("{}", step);
        records.push_back(record);
      }
      const int64_t producer = random.one_in(3) ? static_cast<int64_t>(random.below(5)) : -1;
      const Offset base = put(*log, records, producer, sequences[producer]);
      sequences[producer] += static_cast<int32_t>(records.size());
      for (size_t i = 0; i < records.size(); ++i) {
        const auto& [key, value] = records[i];
        if (value)
          model[key] = *value;
        else
          model.erase(key);
        written[base.value + static_cast<int64_t>(i)] = key + "=" + value.value_or("null");
      }
      env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + static_cast<int64_t>(random.below(200)));
      if (random.one_in(40)) compact(*log, random.one_in(2) ? kCompactionMapBytes : 24 * 32);
      if (random.one_in(100)) {
        must(log->flush(env.soon()));
        log.reset();
        env.reboot();
        log = partition.open();
      }
    }
    compact(*log);
    REQUIRE(table_of(*log) == model);
    for (const auto& record : records_of(*log)) {
      const auto colon = record.find(':');
      REQUIRE(record.substr(colon + 1) == written.at(std::stoll(record)));
    }
    CHECK(faults_of(*log) == "");
  }
}

TEST_CASE("compaction: whichever call fails, nothing is lost, and trying again completes it") {
  std::vector<std::string> expected;
  for (int64_t nth = 1;; ++nth) {
    TestEnv env;
    TestPartition partition(env, compacted());
    auto log = partition.open();
    fill(*log, 70);
    const auto table = table_of(*log);
    env.files.arm({.nth = nth, .for_ever = nth % 2 == 0});  // for ever: as if the process had died there
    const auto done = compact_log(*log, env.clock().wall_ms(), env.soon());
    const bool fired = env.files.fired() > 0;
    env.files.disarm();
    INFO("call " << nth);
    if (log->current_state()->page().failed.load() != 0) continue;  // a flush that failed is another story
    if (nth % 3 == 0) {
      log.reset();
      env.reboot();
      log = partition.open();
    }
    REQUIRE(table_of(*log) == table);
    compact(*log);
    REQUIRE(table_of(*log) == table);
    if (expected.empty()) expected = records_of(*log);
    CHECK(records_of(*log) == expected);
    CHECK(partition.files_ending(".cleaned").empty());
    CHECK(partition.files_ending(".swap").empty());
    CHECK(faults_of(*log) == "");
    if (!fired) break;
  }
}

TEST_CASE("compaction: damage stops it, and every byte stays") {
  TestEnv env;
  TestPartition partition(env, compacted());
  const auto log = partition.open();
  fill(*log, 100);
  const auto bases = segments(partition);
  flip_bits(env.files, partition.log_file(bases[1].value), 70);
  CHECK(code_of(compact_log(*log, env.clock().wall_ms(), env.soon())) == Errc::corrupt);
  CHECK(segments(partition) == bases);
  CHECK(partition.files_ending(".cleaned").empty());
}

TEST_CASE("compaction: readers and a writer go on meanwhile") {
  TestEnv env(Machine::disk);
  TestPartition partition(env, compacted());
  const auto log = partition.open();
  fill(*log, 200, 10);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    const auto mine = partition.open();
    for (int i = 0; i < 400; ++i) put(*mine, {{fmt::format("k{}", i % 10), fmt::format("w{}", i)}});
    stop = true;
  });
  std::vector<std::thread> readers;
  std::atomic<int> rounds{0};
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      const auto mine = partition.open();
      do {
        LogReader reader(*mine, Offset(0));
        std::map<std::string, int64_t> last;
        Decompressor decompressor;
        // To the end as it is when it gets there: the last record of a key may have been written since it began.
        while (const auto batch = must(reader.next(mine->current_state()->high_watermark()))) {
          auto records = must(RecordCursor::begin(batch->bytes, batch->header, decompressor));
          for (RecordView record; must(records.next(record));) {
            int64_t& seen = last.try_emplace(std::string(*record.key), -1).first->second;
            PG_ASSERT(record.offset.value > seen);
            seen = record.offset.value;
          }
        }
        PG_ASSERT(last.size() == 10);  // a key never disappears
        ++rounds;
      } while (!stop);
    });
  }
  while (!stop) compact(*log);
  writer.join();
  for (auto& reader : readers) reader.join();
  compact(*log);
  CHECK(rounds > 0);
  CHECK(table_of(*log).size() == 10);
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: what was deleted from under it does not count as cleaned, and no tombstone goes for that") {
  // The trim comes before each of the compaction's calls in turn.
  for (int nth = 1;; ++nth) {
    TestEnv env;
    LogConfig config = compacted();
    config.delete_retention_ms = 0;
    TestPartition partition(env, config);
    const auto log = partition.open();
    put(*log, {{"x", "0"}});
    fill(*log, 20, 1000);  // the first segments
    const Offset old = put(*log, {{"K", "OLD"}});
    fill(*log, 20, 1000);
    put(*log, {{"K", {}}});
    fill(*log, 30, 1000);
    const Offset second = segments(partition)[1];
    REQUIRE(second <= old);
    const auto other = partition.open();
    bool trimmed = false;
    env.files.before_call([&, left = nth](Call, const std::string&) mutable {
      if (--left > 0 || trimmed || is_busy(*other)) return;
      trimmed = true;
      must(other->raise_log_start(second, env.soon()));
      must(other->delete_old_segments(std::chrono::milliseconds(0), env.soon()));
    });
    INFO("before call " << nth);
    must(compact_log(*log, env.clock().wall_ms(), env.soon()));
    env.files.before_call({});
    for (int i = 0; i < 3; ++i) {
      env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 1000);
      fill(*log, 10, 1000);
      compact(*log);
      REQUIRE(!table_of(*log).contains("K"));
    }
    CHECK(faults_of(*log) == "");
    if (!trimmed) break;
  }
}

TEST_CASE("compaction: a group that was not swapped in does not raise the checkpoint") {
  TestEnv env;
  TestPartition partition(env, compacted());
  const auto log = partition.open();
  fill(*log, 100);
  // Each time it is about to swap, the first segment goes: in the end there is none left to clean.
  const auto other = partition.open();
  env.files.before_call([&](Call kind, const std::string& path) {
    if (kind != Call::sync || !path.ends_with(".timeindex.cleaned")) return;
    const auto bases = segments(partition);
    if (bases.size() < 2) return;
    must(other->raise_log_start(bases[1], env.soon()));
    must(other->delete_old_segments(std::chrono::milliseconds(0), env.soon()));
  });
  const auto result = compact(*log);
  env.files.before_call({});
  CHECK(result.records == 0);
  CHECK(cleaned_to(partition) == Offset(0));
  CHECK(faults_of(*log) == "");
}

TEST_CASE("compaction: random trims between its calls, and what it comes to agrees with a map") {
  for (uint64_t round = 0; round < 20; ++round) {
    TestEnv env;
    SeededRandom random(test_seed() + round);
    INFO("seed " << test_seed() + round);
    LogConfig config = compacted();
    config.delete_retention_ms = 0;
    TestPartition partition(env, config);
    const auto log = partition.open();
    const auto other = partition.open();
    std::map<std::string, int64_t> last;  // each key's last offset
    std::map<int64_t, KeyValue> written;
    for (int step = 0; step < 8; ++step) {
      for (int i = 0; i < 40; ++i) {
        KeyValue record{fmt::format("k{}", random.below(15)), {}};
        if (!random.one_in(3)) record.value = fmt::format("{}.{}", step, i);
        const Offset at = put(*log, {record});
        last[record.key] = at.value;
        written[at.value] = record;
      }
      env.manual_clock.set_wall_ms(env.manual_clock.wall_ms() + 10);
      env.files.before_call([&](Call, const std::string&) {
        if (!random.one_in(60) || is_busy(*other)) return;
        const LogPosition position = other->current_state()->position();
        const auto above = static_cast<uint64_t>(position.active_segment - position.log_start);
        must(
            other->raise_log_start(position.log_start + static_cast<int64_t>(random.below(above / 4 + 1)), env.soon()));
        must(other->delete_old_segments(std::chrono::milliseconds(0), env.soon()));
      });
      must(compact_log(*log, env.clock().wall_ms(), env.soon(), random.one_in(2) ? kCompactionMapBytes : 24 * 32));
      env.files.before_call({});
      const int64_t start = log->current_state()->position().log_start.value;
      std::map<std::string, std::string> model;
      for (const auto& [key, offset] : last) {
        if (offset >= start && written[offset].value) model[key] = *written[offset].value;
      }
      REQUIRE(table_of(*log) == model);
      CHECK(faults_of(*log) == "");
    }
  }
}

TEST_CASE("compaction: only what is committed counts as a successor") {
  TestEnv env;
  LogConfig config = compacted();
  TestReplica replica(env, 2, config);
  replica.follow('a');
  must(replica->append_replicated(TestBatch({"x"}).bytes(), LeaderEpoch(0), env.soon()));
  for (int i = 0; i < 60; ++i) {
    BatchBuilder builder;
    PG_ASSERT(builder.add({.key = "k", .value = fmt::format("{}", i)}, 1000, kBatchBytesMax));
    const MutableBytes batch = builder.finish();
    stamp_batch(batch, Offset(1 + i), LeaderEpoch(0));
    must(replica->append_replicated(batch, LeaderEpoch(0), env.soon()));
  }
  must(replica->flush(env.soon()));
  const auto bases = replica.segments();
  REQUIRE(bases.size() > 4);
  replica.page().high_watermark = bases[2].value + 1;  // the third segment holds what may be cut off again
  must(compact_log(*replica, env.clock().wall_ms(), env.soon()));
  // All that is in segments that are not committed in full is there, and of the others the last record of the key.
  replica.page().high_watermark = replica.position().log_end.value;
  std::vector<int64_t> left;
  for (const auto& record : records_of(*replica)) left.push_back(std::stoll(record));
  REQUIRE(left.size() == static_cast<size_t>(2 + (61 - bases[2].value)));
  CHECK(left[0] == 0);
  CHECK(left[1] == bases[2].value - 1);
  CHECK(left[2] == bases[2].value);
}

TEST_CASE("compaction: one that began before the log was cut or began again puts nothing back") {
  for (const bool restart : {false, true}) {
    for (int nth = 1;; ++nth) {
      TestEnv env;
      TestReplica replica(env, 2, compacted());
      const auto write = [&](const std::string& value, int64_t from, int64_t count) {
        for (int64_t at = from; at < from + count; ++at) {
          BatchBuilder builder;
          PG_ASSERT(builder.add({.key = fmt::format("k{}", at % 3), .value = value}, 1000, kBatchBytesMax));
          const MutableBytes batch = builder.finish();
          stamp_batch(batch, Offset(at), LeaderEpoch(0));
          must(replica->append_replicated(batch, LeaderEpoch(0), env.soon()));
        }
      };
      replica.follow('a');
      write("old", 0, 60);
      replica.page().high_watermark = 60;
      bool cut = false;
      int64_t kept = 0;
      const auto cleaner = replica.open();
      env.files.before_call([&, left = nth](Call, const std::string&) mutable {
        if (--left > 0 || cut || is_busy(*replica)) return;
        cut = true;
        if (restart)
          must(replica->restart_at(Offset(0), env.soon()));
        else
          must(replica->truncate_to(Offset(7), true, env.soon()));
        kept = replica.position().log_end.value;  // or less, where a compacted batch goes across
        write("new", kept, 60 - kept);
      });
      INFO("restart " << restart << ", before call " << nth);
      (void)compact_log(*cleaner, env.clock().wall_ms(), env.soon());
      env.files.before_call({});
      if (!cut) break;
      replica.page().high_watermark = 60;
      for (const auto& record : records_of(*replica)) {
        REQUIRE(record.ends_with(std::stoll(record) < kept ? "=old" : "=new"));
      }
      CHECK(replica.position().log_end == Offset(60));
      const LogDirectory directory(env.env(), env.root() + "/2");
      CHECK(must(directory.cleaned_to({"t", PartitionId(0)})) <= Offset(kept));
    }
  }
}

TEST_CASE("compaction: asked for, it closes an active segment that holds enough, and says why it did nothing") {
  TestEnv env;
  LogConfig config = compacted();
  config.segment_bytes = 1 << 20;
  config.min_cleanable_dirty_ratio = 0.5;
  TestPartition partition(env, config);
  const auto log = partition.open();
  fill(*log, 200);
  const auto nothing = compact(*log);
  CHECK(nothing.records == 0);
  CHECK(nothing.idle.find("closed segment") != std::string::npos);
  const auto asked = [&] {
    return must(compact_log(*log, env.clock().wall_ms(), env.soon(), kCompactionMapBytes, ActiveSegmentToo::yes));
  };
  CHECK(asked().records == 197);
  CHECK(segments(partition) == std::vector{Offset(0), Offset(200)});
  const auto again = asked();
  CHECK(again.records == 0);
  CHECK(again.idle.find("already") != std::string::npos);
  put(*log, {{"k0", "x"}});
  CHECK(asked().records == 0);  // one record more is not enough
  CHECK(segments(partition).size() == 2);
  const auto other = partition.open();
  REQUIRE(must(other->current_state()->locks().try_lock(lock_byte::kCompaction, LockMode::exclusive)));
  CHECK(asked().idle.find("another process") != std::string::npos);
}

TEST_CASE("compaction: after a power cut at any of its calls every key has the value that it had") {
  SeededRandom random(test_seed());
  TestEnv env;
  PowerCut power(env.memory, env.root());
  Env shown{.files = power,
            .clock = env.clock(),
            .random = env.random,
            .boot_id = env.env().boot_id,
            .process = env.env().process,
            .notice = [](const std::string&) {}};
  const Uuid id = env.random.uuid();
  const LogConfig config = compacted();
  must(PartitionLog::create(shown, env.root(), {"t", PartitionId(0)}, id));
  std::map<std::string, std::string> table;
  {
    auto log = must(PartitionLog::open(shown, {env.root(), {"t", PartitionId(0)}, id, config}, env.soon()));
    fill(*log, 70);
    must(log->flush(env.soon()));
    table = table_of(*log);
    int64_t cuts = 0;
    power.before_change([&] {
      TestEnv after;
      power.leave(after.memory, random);
      ++cuts;
      after.reboot();
      const auto left =
          must(PartitionLog::open(after.env(), {env.root(), {"t", PartitionId(0)}, id, config}, after.soon()));
      REQUIRE(table_of(*left) == table);
      REQUIRE(faults_of(*left) == "");
      compact(*left);
      REQUIRE(table_of(*left) == table);
    });
    must(compact_log(*log, env.clock().wall_ms(), env.soon()));
    power.before_change({});
    CHECK(cuts > 10);
    CHECK(table_of(*log) == table);
  }
}
