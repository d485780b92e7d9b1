#include "tests/support/test_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log/log_verify.h"

namespace pg {

TestBatch::TestBatch(const std::vector<std::string>& values, int64_t timestamp_ms) {
  for (const auto& value : values) {
    Record record;
    record.value = value;
    PG_ASSERT(builder_.add(record, timestamp_ms++, kBatchBytesMax));
  }
}

TestPartition::TestPartition(TestEnv& test_env, const LogConfig& log_config) : env(test_env), config(log_config) {
  id = env.random.uuid();
  must(PartitionLog::create(env.env(), env.root(), spec().partition, id));
}

PartitionLog::Spec TestPartition::spec(Access access) const {
  return {env.root(), {"t", PartitionId(0)}, id, config, access};
}

std::unique_ptr<PartitionLog> TestPartition::open(Access access) const { return must(try_open(access)); }

Result<std::unique_ptr<PartitionLog>> TestPartition::try_open(Access access, Duration patience) const {
  return PartitionLog::open(env.env(), spec(access), env.clock().after(patience));
}

Result<> TestPartition::remove() const { return PartitionLog::remove(env.env(), spec(), env.soon()); }

std::string TestPartition::directory() const { return names::partition_directory(env.root(), spec().partition); }
std::string TestPartition::log_file(int64_t base) const {
  return names::segment(directory(), Offset(base), names::SegmentFile::log);
}
std::string TestPartition::offset_index(int64_t base) const {
  return names::segment(directory(), Offset(base), names::SegmentFile::offset_index);
}
std::string TestPartition::time_index(int64_t base) const {
  return names::segment(directory(), Offset(base), names::SegmentFile::time_index);
}
std::string TestPartition::page_file() const { return names::partition_state(directory()); }
std::string TestPartition::torn_file(int64_t base, int n) const { return names::torn(directory(), Offset(base), n); }

std::string TestPartition::files_ending(const std::string& suffix) const {
  auto names = must(env.files.list(directory()));
  std::sort(names.begin(), names.end());
  std::string text;
  for (const auto& name : names) {
    if (!name.ends_with(suffix)) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  return text;
}

void TestPartition::set_recovery_point(int64_t offset) const {
  must(LogDirectory(env.env(), env.root()).raise_recovery_points({{spec().partition, Offset(offset)}}, env.soon()));
}

LogConfig tiny_segments() {
  LogConfig config;
  config.segment_bytes = 1024;
  config.index_interval_bytes = 100;
  return config;
}

Result<Appended> try_append(PartitionLog& log, const std::vector<std::string>& values, int64_t timestamp_ms) {
  TestBatch batch(values, timestamp_ms);
  return log.append(batch.bytes(), log.env().clock.after(std::chrono::seconds(30)));
}

Offset append(PartitionLog& log, const std::vector<std::string>& values, int64_t timestamp_ms) {
  return must(try_append(log, values, timestamp_ms)).base_offset;
}

void append_numbers(PartitionLog& log, int64_t from, int64_t count) {
  for (int64_t n = from; n < from + count; ++n) PG_ASSERT(append(log, {std::to_string(n)}, 1000 + 10 * n).value == n);
}

std::string contents(PartitionLog& log, int64_t from) {
  std::string text;
  LogReader reader(log, Offset(from));
  Decompressor decompressor;
  const auto show = [&](const std::string& word) {
    if (!text.empty()) text += ' ';
    text += word;
  };
  const auto read = [&]() -> Result<> {
    for (;;) {
      PG_ASSIGN(const auto batch, reader.next(log.current_state()->high_watermark()));
      if (!batch) return {};
      PG_ASSIGN(auto cursor, RecordCursor::begin(batch->bytes, batch->header, decompressor));
      for (RecordView record;;) {
        PG_ASSIGN(const bool more, cursor.next(record));
        if (!more) break;
        if (record.offset.value < from) continue;
        show(fmt::format("{}:{}", record.offset.value, record.value.value_or("null")));
      }
    }
  };
  const auto done = read();
  if (!done) show(done.error().code == Errc::corrupt ? "!corrupt" : fmt::format("!{}", done.error().message()));
  return text;
}

std::string numbers(int64_t from, int64_t end) {
  std::string text;
  for (int64_t n = from; n < end; ++n) text += fmt::format("{}{}:{}", text.empty() ? "" : " ", n, n);
  return text;
}

std::string faults_of(PartitionLog& log) {
  std::string text;
  must(verify_log(log, [&](const Fault& fault) {
    text += fmt::format("{}:{} offset {}: {}\n", names::last_component(fault.path), fault.position, fault.offset.value,
                        fault.reason);
  }));
  return text;
}

}  // namespace pg
