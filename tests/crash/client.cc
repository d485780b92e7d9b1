#include "tests/crash/client.h"

#include <fmt/format.h>

#include "core/format/path_names.h"
#include "core/local/admin.h"
#include "core/local/inspector.h"

namespace pg::crash {
namespace {

constexpr const char* kInputTopic = "input";

}  // namespace

Result<Home*> Client::home() {
  if (!home_) {
    PG_ASSIGN(home_, Home::open(env_, path_));
  }
  return home_.get();
}

Result<PartitionLog*> Client::log(const std::string& topic, int32_t partition) {
  auto& log = logs_[{topic, partition}];
  if (!log) {
    PG_ASSIGN(Home* const home, this->home());
    PG_ASSIGN(const auto metadata, home->describe_topic(topic));
    PG_ASSIGN(log, home->open_partition(metadata, PartitionId(partition), Access::read_write, soon()));
  }
  return log.get();
}

Result<> Client::create(const std::string& name, int32_t partitions, const ConfigMap& config) {
  TopicHistory& topic = history_.topics[name];
  const bool is_again = topic.exists.next == true;
  if (topic.exists.next == false) return fail(Errc::busy, "nobody knows whether the topic before it is deleted");
  if (!is_again) topic = TopicHistory{{false, true}, {config}, {partitions}, {}};
  PG_ASSIGN(Home* const home, this->home());
  const auto made = home->create_topic(name, partitions, config, soon());
  if (!made && !(is_again && made.error().code == Errc::already_exists)) return tl::unexpected(made.error());
  topic.exists.done();
  for (int32_t p = 0; p < partitions; ++p) topic.logs[p];
  return {};
}

Result<> Client::alter(const std::string& name, const ConfigMap& config, std::optional<int32_t> partitions) {
  TopicHistory& topic = history_.topics[name];
  ConfigMap all = topic.config.now;
  for (const auto& [key, value] : config) all[key] = value;
  topic.config.trying(all);
  topic.partitions.trying(partitions.value_or(topic.partitions.now));
  for (auto& [p, log] : topic.logs) {
    if (all.contains("retention.bytes")) log.deleting_below(Offset(INT64_MAX));
  }
  PG_ASSIGN(Home* const home, this->home());
  PG_CHECK(home->alter_topic(name, {.set = config, .partitions = partitions}, soon()));
  topic.config.done();
  topic.partitions.done();
  for (int32_t p = 0; p < topic.partitions.now; ++p) topic.logs[p];
  return {};
}

Result<> Client::remove(const std::string& name) {
  TopicHistory& topic = history_.topics[name];
  const bool is_unsure = topic.exists.next.has_value();
  if (topic.exists.now) topic.exists.trying(false);
  std::erase_if(logs_, [&](const auto& log) { return log.first.first == name; });
  PG_ASSIGN(Home* const home, this->home());
  const auto removed = home->delete_topic(name, soon());
  if (!removed && !(is_unsure && removed.error().code == Errc::not_found)) return removed;
  topic.exists.settle(false);
  return {};
}

Entry Client::next_entry(int keys) {
  const int64_t n = ++history_.values;
  // Long enough that segments of 1 KiB hold a few, and that writes go over the bounds of sectors.
  Entry entry{{}, fmt::format("v{}-{}", n, std::string(100, static_cast<char>('a' + n % 26)))};
  if (keys > 0) entry.key = fmt::format("k{}", n % keys);
  return entry;
}

Result<> Client::append(const std::string& topic, int32_t partition, int count, int keys) {
  std::vector<Entry> entries;
  for (int i = 0; i < count; ++i) entries.push_back(next_entry(keys));
  return append_entries(topic, partition, entries);
}

Result<> Client::append_tombstone(const std::string& topic, int32_t partition, const std::string& key) {
  return append_entries(topic, partition, {{key, {}}});
}

Result<> Client::append_entries(const std::string& topic, int32_t partition, const std::vector<Entry>& entries) {
  LogHistory& history = history_.topics[topic].logs[partition];
  history.trying(entries);
  PG_ASSIGN(PartitionLog* const log, this->log(topic, partition));
  BatchBuilder batch;
  for (const auto& entry : entries) {
    PG_ASSERT(batch.add({.key = entry.key, .value = entry.value}, env_.clock.wall_ms(), kBatchBytesMax));
  }
  PG_ASSIGN(const Appended appended, log->append(batch.finish(), soon()));
  history.wrote(appended.base_offset, entries);
  return {};
}

Result<> Client::flush(const std::string& topic, int32_t partition) {
  PG_ASSIGN(PartitionLog* const log, this->log(topic, partition));
  PG_ASSIGN(const Offset flushed, log->flush(soon()));
  history_.topics[topic].logs[partition].flushed(flushed);
  return {};
}

Result<> Client::produce(const std::string& topic, int32_t partition, int count) {
  LogHistory& history = history_.topics[topic].logs[partition];
  std::vector<Entry> batch;
  ProducerOptions options{.batch_bytes = 1, .flush = FlushMode::batch, .create_topic = false};
  options.report = [&](const BatchReport& report) -> Result<> {
    history.wrote(report.base_offset, batch);
    history.flushed(report.base_offset + report.record_count);
    return {};
  };
  PG_ASSIGN(Home* const home, this->home());
  PG_ASSIGN(const auto producer, LocalProducer::open(*home, topic, std::move(options)));
  for (int i = 0; i < count; ++i) {
    batch = {next_entry(0)};
    history.trying(batch);
    PG_CHECK(producer->send({.value = batch.front().value}, PartitionId(partition)));
    PG_CHECK(producer->send_batches());
  }
  return producer->close();
}

Result<> Client::send_input(int32_t lines) {
  history_.input_lines = std::max(history_.input_lines, lines);
  PG_ASSIGN(Home* const home, this->home());
  ProducerOptions options{.batch_bytes = 300, .flush = FlushMode::batch, .create_topic = false, .name = "input"};
  PG_ASSIGN(const auto producer, LocalProducer::open(*home, kInputTopic, std::move(options)));
  for (int32_t line = 0; line < lines; ++line) PG_CHECK(producer->send({.value = fmt::format("line {:060}", line)}));
  PG_CHECK(producer->close());
  history_.input_lines_done = std::max(history_.input_lines_done, lines);
  return {};
}

Result<> Client::trim(const std::string& topic, int32_t partition, Offset to) {
  PG_ASSIGN(PartitionLog* const log, this->log(topic, partition));
  LogHistory& history = history_.topics[topic].logs[partition];
  history.deleting_below(to);
  PG_CHECK(log->raise_log_start(to, soon()));
  history.deleted_below(to);
  return log->delete_old_segments(std::chrono::milliseconds(0), soon()).map([](const auto&) {});
}

Result<> Client::maintain(const std::string& topic, int32_t partition) {
  const ConfigMap& config = history_.topics[topic].config.now;
  LogHistory& history = history_.topics[topic].logs[partition];
  if (config.contains("retention.bytes")) history.deleting_below(Offset(INT64_MAX));
  if (config.contains("cleanup.policy")) history.compacting();
  PG_ASSIGN(Home* const home, this->home());
  PG_ASSIGN(const auto metadata, home->describe_topic(topic));
  PG_ASSIGN(const Maintenance done, maintain_partition(*home, metadata, PartitionId(partition), false, soon()));
  history.deleted_below(done.log_start);
  return {};
}

Result<> Client::damage(const std::string& topic, int32_t partition) {
  LogHistory& history = history_.topics[topic].logs[partition];
  const TopicPartition place{topic, PartitionId(partition)};
  const std::string directory = names::partition_directory(names::log_directory(path_, BrokerId(0)), place);
  PG_ASSIGN(const auto file,
            env_.files.open(names::segment(directory, Offset(0), names::SegmentFile::log), OpenMode::write));
  std::byte byte{};
  PG_CHECK(file->read_at(kBatchHeaderBytes + 20, {&byte, 1}));
  history.damaging(Offset(0));
  byte ^= std::byte{1};
  PG_CHECK(file->write_at(kBatchHeaderBytes + 20, {&byte, 1}));
  return file->sync();
}

Result<> Client::repair(const std::string& topic, int32_t partition) {
  logs_.erase({topic, partition});
  PG_ASSIGN(Home* const home, this->home());
  PG_ASSIGN(const auto metadata, home->describe_topic(topic));
  PG_CHECK(repair_partition(*home, metadata, PartitionId(partition), true, soon(), [](const RepairItem&) {}));
  if (const auto known = history_.topics.find(topic); known != history_.topics.end())
    known->second.logs[partition].repaired();
  return {};
}

void Client::repair_all() {
  Home& home = *need("open the home", this->home());
  for (const auto& topic : need("list topics", home.list_topics())) {
    const auto metadata = need("describe a topic", home.describe_topic(topic));
    for (int32_t p = 0; std::cmp_less(p, metadata.partitions.size()); ++p) need("repair " + topic, repair(topic, p));
  }
  for (auto& [name, topic] : history_.topics) {
    for (auto& [partition, log] : topic.logs) log.losing_unflushed();
  }
}

std::vector<Client::Place> Client::offline() {
  std::vector<Place> places;
  Home& home = *need("open the home", this->home());
  for (const auto& topic : need("list topics", home.list_topics())) {
    const auto metadata = need("describe a topic", home.describe_topic(topic));
    for (int32_t p = 0; std::cmp_less(p, metadata.partitions.size()); ++p) {
      const auto opened = log(topic, p);
      if (opened && (*opened)->current_state()->page().failed.load() != 0) places.emplace_back(topic, p);
    }
  }
  return places;
}

}  // namespace pg::crash
