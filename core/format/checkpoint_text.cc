#include "core/format/checkpoint_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/limits.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

// The lines between the two header lines and the end, each split at the blank between its two fields.
Result<std::vector<std::vector<std::string_view>>> parse_entries(std::string_view text) {
  auto lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() < 2) return fail(Errc::corrupt, "checkpoint is cut short");
  if (lines[0] != "0")
    return fail(Errc::unsupported_version, fmt::format("checkpoint has version '{}', not 0", lines[0]));
  if (parse_integer(lines[1]) != static_cast<int64_t>(lines.size() - 2)) {
    return fail(Errc::corrupt, fmt::format("checkpoint says '{}' entries but has {}", lines[1], lines.size() - 2));
  }
  std::vector<std::vector<std::string_view>> entries;
  for (size_t i = 2; i < lines.size(); ++i) {
    entries.push_back(split(lines[i], ' '));
    if (entries.back().size() != 2) return fail(Errc::corrupt, fmt::format("checkpoint line {} is malformed", i + 1));
  }
  return entries;
}

Result<int64_t> number(std::string_view text, int64_t most) {
  const auto value = parse_integer(text);
  if (!value || *value < 0 || *value > most)
    return fail(Errc::corrupt, fmt::format("checkpoint has '{}' for a number", text));
  return *value;
}

}  // namespace

std::string write_epoch_history(const EpochHistory& history) {
  std::string text = fmt::format("0\n{}\n", history.size());
  for (const auto& [epoch, start] : history) text += fmt::format("{} {}\n", epoch.value, start.value);
  return text;
}

Result<EpochHistory> parse_epoch_history(std::string_view text) {
  PG_ASSIGN(const auto entries, parse_entries(text));
  EpochHistory history;
  for (const auto& fields : entries) {
    PG_ASSIGN(const int64_t epoch, number(fields[0], std::numeric_limits<int32_t>::max()));
    PG_ASSIGN(const int64_t start, number(fields[1], kOffsetMax));
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

namespace {

struct OffsetLine {
  TopicPartition partition;
  Offset offset;
};

std::optional<OffsetLine> read_offset_line(std::string_view line) {
  const auto fields = split(line, ' ');
  if (fields.size() != 3 || !names::check_topic(fields[0])) return {};
  const auto partition = number(fields[1], std::numeric_limits<int32_t>::max());
  const auto offset = number(fields[2], kOffsetMax);
  if (!partition || !offset) return {};
  return OffsetLine{{std::string(fields[0]), PartitionId(static_cast<int32_t>(*partition))}, Offset(*offset)};
}

// A partition with two different offsets has none.
void drop_contradictions(OffsetLines& lines, const std::vector<OffsetLine>& read) {
  for (const auto& [partition, offset] : read) lines.offsets.emplace(partition, offset);
  for (const auto& [partition, offset] : read) {
    const auto kept = lines.offsets.find(partition);
    if (kept == lines.offsets.end() || kept->second == offset) continue;
    lines.fault = fmt::format("it has two offsets of '{}-{}'", partition.topic, partition.partition.value);
    lines.offsets.erase(kept);
  }
  if (lines.fault.empty() && lines.offsets.size() != read.size()) lines.fault = "it has a line twice";
}

}  // namespace

OffsetLines read_offset_lines(std::string_view text) {
  OffsetLines lines;
  std::vector<OffsetLine> read;
  auto all = split(text, '\n');
  if (all.size() < 3) lines.fault = "it is cut short";
  // Each line ends with a line feed: text behind the last one is a line that was cut.
  const std::string_view cut = all.empty() ? std::string_view() : all.back();
  if (!all.empty()) all.pop_back();
  if (!cut.empty()) lines.spoilt.push_back(fmt::format("{} ?", cut));
  const bool is_headed =
      all.size() >= 2 && all[0] == "0" && parse_integer(all[1]) == static_cast<int64_t>(all.size() - 2);
  for (size_t i = 0; i < all.size(); ++i) {
    if (auto line = read_offset_line(all[i]))
      read.push_back(std::move(*line));
    else if (i >= 2)
      lines.spoilt.emplace_back(all[i]);
  }
  drop_contradictions(lines, read);
  if (!lines.fault.empty()) return lines;
  if (!cut.empty())
    lines.fault = "its last line is cut short";
  else if (!lines.spoilt.empty())
    lines.fault = fmt::format("{} of its lines cannot be read", lines.spoilt.size());
  else if (!is_headed || read.size() + 2 != all.size())
    lines.fault = "its first two lines are not those that it was written with";
  return lines;
}

std::string write_offset_lines(const OffsetLines& lines) {
  std::string text = write_offset_checkpoint(lines.offsets);
  if (lines.is_whole()) return text;
  for (const auto& line : lines.spoilt) text += line + "\n";
  return lines.spoilt.empty() ? text + "?\n" : text;
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
  if (lines[0].substr(kVersion.size()) != "0")
    return fail(Errc::unsupported_version, "partition metadata is not version 0");
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
  if (!broker || *broker < 0 || *broker > std::numeric_limits<int32_t>::max() || !cluster)
    return fail(Errc::corrupt, "meta.properties is malformed");
  return MetaProperties{BrokerId(static_cast<int32_t>(*broker)), *cluster};
}

}  // namespace pg
