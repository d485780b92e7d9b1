#include "core/format/checkpoint_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace pg {
namespace {

// The lines between the two header lines and the end, each split at blanks; `fields` is how many each must have.
Result<std::vector<std::vector<std::string_view>>> parse_entries(std::string_view text, size_t fields) {
  auto lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() < 2) return fail(Errc::corrupt, "checkpoint is cut short");
  if (lines[0] != "0") return fail(Errc::unsupported_version, fmt::format("checkpoint has version '{}', not 0", lines[0]));
  if (parse_integer(lines[1]) != static_cast<int64_t>(lines.size() - 2)) {
    return fail(Errc::corrupt, fmt::format("checkpoint says '{}' entries but has {}", lines[1], lines.size() - 2));
  }
  std::vector<std::vector<std::string_view>> entries;
  for (size_t i = 2; i < lines.size(); ++i) {
    entries.push_back(split(lines[i], ' '));
    if (entries.back().size() != fields) return fail(Errc::corrupt, fmt::format("checkpoint line {} is malformed", i + 1));
  }
  return entries;
}

Result<int64_t> number(std::string_view text, int64_t most) {
  const auto value = parse_integer(text);
  if (!value || *value < 0 || *value > most) return fail(Errc::corrupt, fmt::format("checkpoint has '{}' for a number", text));
  return *value;
}

}  // namespace

std::string write_epoch_history(const EpochHistory& history) {
  std::string text = fmt::format("0\n{}\n", history.size());
  for (const auto& [epoch, start] : history) text += fmt::format("{} {}\n", epoch.value, start.value);
  return text;
}

Result<EpochHistory> parse_epoch_history(std::string_view text) {
  PG_ASSIGN(const auto entries, parse_entries(text, 2));
  EpochHistory history;
  for (const auto& fields : entries) {
    PG_ASSIGN(const int64_t epoch, number(fields[0], std::numeric_limits<int32_t>::max()));
    PG_ASSIGN(const int64_t start, number(fields[1], std::numeric_limits<int64_t>::max()));
    const EpochStart entry{LeaderEpoch(static_cast<int32_t>(epoch)), Offset(start)};
    if (!history.empty() && (entry.epoch <= history.back().epoch || entry.start_offset < history.back().start_offset)) {
      return fail(Errc::corrupt, "leader epochs are not in order");
    }
    history.push_back(entry);
  }
  return history;
}

LeaderEpoch epoch_at(const EpochHistory& history, Offset offset) {
  LeaderEpoch epoch(-1);
  for (const auto& entry : history) {
    if (entry.start_offset > offset) break;
    epoch = entry.epoch;
  }
  return epoch;
}

Offset end_of_epoch(const EpochHistory& history, LeaderEpoch epoch, Offset log_end) {
  for (const auto& entry : history) {
    if (entry.epoch > epoch) return std::min(entry.start_offset, log_end);
  }
  return log_end;
}

void open_epoch(EpochHistory& history, LeaderEpoch epoch, Offset start_offset) {
  while (!history.empty() && history.back().start_offset >= start_offset) history.pop_back();
  history.push_back({epoch, start_offset});
}

EpochHistory with_batch(EpochHistory history, LeaderEpoch epoch, Offset offset) {
  const bool known = !history.empty() && history.back() == EpochStart{epoch, offset};
  while (!known && !history.empty() && history.back().start_offset >= offset) history.pop_back();
  if (history.empty() || epoch > history.back().epoch) history.push_back({epoch, offset});
  return history;
}

std::string write_offset_checkpoint(const OffsetCheckpoint& offsets) {
  std::string text = fmt::format("0\n{}\n", offsets.size());
  for (const auto& [key, offset] : offsets) {
    text += fmt::format("{} {} {}\n", key.topic, key.partition.value, offset.value);
  }
  return text;
}

Result<OffsetCheckpoint> parse_offset_checkpoint(std::string_view text) {
  PG_ASSIGN(const auto entries, parse_entries(text, 3));
  OffsetCheckpoint offsets;
  for (const auto& fields : entries) {
    PG_ASSIGN(const int64_t partition, number(fields[1], std::numeric_limits<int32_t>::max()));
    PG_ASSIGN(const int64_t offset, number(fields[2], std::numeric_limits<int64_t>::max()));
    offsets[{std::string(fields[0]), PartitionId(static_cast<int32_t>(partition))}] = Offset(offset);
  }
  return offsets;
}

std::string write_partition_metadata(const Uuid& topic_id) {
  return fmt::format("version: 0\ntopic_id: {}\n", uuid_text(topic_id));
}

Result<Uuid> parse_partition_metadata(std::string_view text) {
  static constexpr std::string_view kVersion = "version: ", kTopicId = "topic_id: ";
  const auto lines = split(text, '\n');
  if (lines.size() < 2 || !lines[0].starts_with(kVersion) || !lines[1].starts_with(kTopicId)) {
    return fail(Errc::corrupt, "partition metadata is malformed");
  }
  if (lines[0].substr(kVersion.size()) != "0") return fail(Errc::unsupported_version, "partition metadata is not version 0");
  const auto id = parse_uuid(lines[1].substr(kTopicId.size()));
  if (!id) return fail(Errc::corrupt, "partition metadata has a malformed topic id");
  return *id;
}

std::string write_meta_properties(BrokerId broker, const Uuid& cluster_id) {
  return fmt::format("version=1\nbroker.id={}\ncluster.id={}\n", broker.value, uuid_text(cluster_id));
}

// Kafka calls it node.id since version 1 of the file; the lines come in any order.
Result<MetaProperties> parse_meta_properties(std::string_view text) {
  std::optional<int64_t> broker;
  std::optional<Uuid> cluster;
  for (const auto line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    const auto name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "broker.id" || name == "node.id") broker = parse_integer(value);
    if (name == "cluster.id") cluster = parse_uuid(value);
  }
  if (!broker || *broker < 0 || *broker > std::numeric_limits<int32_t>::max() || !cluster) return fail(Errc::corrupt, "meta.properties is malformed");
  return MetaProperties{BrokerId(static_cast<int32_t>(*broker)), *cluster};
}

}  // namespace pg
