#include "core/format/path_names.h"

#include <fmt/format.h>

#include <pilgrimage/cluster.h>
#include <algorithm>
#include <limits>

#include "core/base/limits.h"

namespace pg::names {
namespace {

constexpr size_t kOffsetDigits = 20;
constexpr size_t kFileNameBytesMax = 255;

const char* suffix(SegmentFile kind) {
  switch (kind) {
    case SegmentFile::log:
      return ".log";
    case SegmentFile::offset_index:
      return ".index";
    case SegmentFile::time_index:
      return ".timeindex";
    case SegmentFile::snapshot:
      return ".snapshot";
  }
  return "";
}

const char* suffix(SegmentStage stage) {
  switch (stage) {
    case SegmentStage::live:
      return "";
    case SegmentStage::cleaned:
      return ".cleaned";
    case SegmentStage::swap:
      return ".swap";
    case SegmentStage::deleted:
      return ".deleted";
  }
  return "";
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string partition_name(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value);
}

// "<topic>-<partition>.<uuid>-<state>", the topic cut where the whole would be too long for a file name, as Kafka does.
std::string transient_name(const std::string& log_directory, const TopicPartition& partition, const Uuid& unique,
                           std::string_view state) {
  const std::string tail = fmt::format("-{}.{}-{}", partition.partition.value, uuid_text(unique), state);
  return fmt::format("{}/{}{}", log_directory, partition.topic.substr(0, kFileNameBytesMax - tail.size()), tail);
}

// The name as it may be printed: control characters would reach the terminal.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 64)) shown += c >= 0x20 && c != 0x7f ? c : '?';
  return text.size() > 64 ? shown + "…" : shown;
}

Result<> check_name(const char* what, std::string_view name) {
  const char* fault = nullptr;
  if (name.empty())
    fault = "it is empty";
  else if (name.size() > kTopicNameBytesMax)
    fault = "it is longer than 249 characters";
  else if (name == "." || name == "..")
    fault = "it is '.' or '..'";
  else if (!std::all_of(name.begin(), name.end(), is_name_character))
    fault = "only [a-zA-Z0-9._-] are allowed";
  if (fault == nullptr) return {};
  return fail(Errc::invalid_argument, fmt::format("illegal {} name '{}': {}", what, printable(name), fault));
}

}  // namespace

Result<> check_topic(std::string_view topic) { return check_name("topic", topic); }
Result<> check_group_name(std::string_view group) { return check_name("group", group); }

std::string segment(const std::string& directory, Offset base_offset, SegmentFile kind, SegmentStage stage) {
  // Without fmt, which takes ten times as long: each start names several.
  const std::string digits = std::to_string(base_offset.value);
  const size_t zeros = kOffsetDigits - std::min(digits.size(), kOffsetDigits);
  std::string path;
  path.reserve(directory.size() + kOffsetDigits + 24);
  path.append(directory).append(1, '/').append(zeros, '0').append(digits).append(suffix(kind)).append(suffix(stage));
  return path;
}

std::optional<SegmentName> parse_segment(std::string_view file_name) {
  if (file_name.size() < kOffsetDigits || !all_digits(file_name.substr(0, kOffsetDigits))) return {};
  const auto base = parse_integer(file_name.substr(0, kOffsetDigits));
  if (!base || *base > kOffsetMax) return {};
  std::string_view rest = file_name.substr(kOffsetDigits);
  SegmentName name{Offset(*base), SegmentFile::log, SegmentStage::live};
  for (const auto stage : {SegmentStage::cleaned, SegmentStage::swap, SegmentStage::deleted}) {
    if (!rest.ends_with(suffix(stage))) continue;
    name.stage = stage;
    rest.remove_suffix(std::string_view(suffix(stage)).size());
    break;
  }
  for (const auto kind : kSegmentFiles) {
    name.kind = kind;
    if (rest == suffix(kind)) return name;
  }
  return {};
}

std::optional<Offset> parse_log(std::string_view file_name) {
  const auto name = parse_segment(file_name);
  if (!name || name->kind != SegmentFile::log || name->stage != SegmentStage::live) return {};
  return name->base_offset;
}

std::string torn(const std::string& directory, Offset base_offset, int n) {
  return fmt::format("{}/{:020}.torn-{}", directory, base_offset.value, n);
}

std::string damaged(const std::string& directory, Offset base_offset, int n) {
  return fmt::format("{}/{:020}.damaged-{}", directory, base_offset.value, n);
}

std::string repaired(const std::string& directory, Offset base_offset) {
  return segment(directory, base_offset, SegmentFile::log) + ".repaired";
}

std::string partition_directory(const std::string& log_directory, const TopicPartition& partition) {
  return fmt::format("{}/{}", log_directory, partition_name(partition));
}

std::optional<TopicPartition> parse_partition_directory(std::string_view file_name) {
  const auto dash = file_name.rfind('-');
  if (dash == std::string_view::npos) return {};
  const auto topic = file_name.substr(0, dash), digits = file_name.substr(dash + 1);
  if (!check_topic(topic) || !all_digits(digits) || (digits.size() > 1 && digits[0] == '0')) return {};
  const auto number = parse_integer(digits);
  if (!number || *number > std::numeric_limits<int32_t>::max()) return {};
  return TopicPartition{std::string(topic), PartitionId(static_cast<int32_t>(*number))};
}

std::string deleted_partition_directory(const std::string& log_directory, const TopicPartition& partition,
                                        const Uuid& unique) {
  return transient_name(log_directory, partition, unique, "delete");
}

std::string new_partition_directory(const std::string& log_directory, const TopicPartition& partition,
                                    const Uuid& unique) {
  return transient_name(log_directory, partition, unique, "new");
}

std::optional<PartitionStage> parse_partition_stage(std::string_view file_name) {
  const bool is_deleted = file_name.ends_with("-delete"), is_making = file_name.ends_with("-new");
  if (!is_deleted && !is_making) return {};
  file_name.remove_suffix(is_deleted ? 7 : 4);
  const auto dot = file_name.rfind('.');
  const auto dash = dot == std::string_view::npos ? dot : file_name.rfind('-', dot);
  if (dash == std::string_view::npos || !all_digits(file_name.substr(dash + 1, dot - dash - 1))) return {};
  if (file_name.size() - dot - 1 != uuid_text(Uuid{}).size()) return {};
  return is_deleted ? PartitionStage::deleted : PartitionStage::making;
}

std::string partition_lock(const std::string& directory) { return directory + "/partition.lock"; }
std::string partition_state(const std::string& directory) { return directory + "/partition.state"; }
std::string flush_failed(const std::string& directory) { return directory + "/flush-failed"; }
std::string epoch_checkpoint(const std::string& directory) { return directory + "/leader-epoch-checkpoint"; }
std::string partition_metadata(const std::string& directory) { return directory + "/partition.metadata"; }

std::string brokers_directory(const std::string& home) { return home + "/brokers"; }
std::string log_directory(const std::string& home, BrokerId broker) {
  return fmt::format("{}/{}", brokers_directory(home), broker.value);
}
std::string log_directory_lock(const std::string& log_directory) { return log_directory + "/.lock"; }
std::string recovery_checkpoint(const std::string& log_directory) {
  return log_directory + "/recovery-point-offset-checkpoint";
}
std::string log_start_checkpoint(const std::string& log_directory) {
  return log_directory + "/log-start-offset-checkpoint";
}
std::string gap_checkpoint(const std::string& log_directory) { return log_directory + "/gap-end-offset-checkpoint"; }
std::string replication_checkpoint(const std::string& log_directory) {
  return log_directory + "/replication-offset-checkpoint";
}
std::string damaged_checkpoint(const std::string& checkpoint, int n) {
  return fmt::format("{}.damaged.{}", checkpoint, n);
}
std::string reserve(const std::string& log_directory, int n) { return fmt::format("{}/.reserve-{}", log_directory, n); }
std::string clean_stop(const std::string& log_directory) { return log_directory + "/.clean-stop"; }
std::string disk_probe(const std::string& log_directory) { return log_directory + "/.probe"; }
std::string cleaner_checkpoint(const std::string& log_directory) {
  return log_directory + "/cleaner-offset-checkpoint";
}
std::string meta_properties(const std::string& log_directory) { return log_directory + "/meta.properties"; }

std::string cluster_file(const std::string& home) { return home + "/cluster.json"; }
std::string controller_file(const std::string& home) { return home + "/controller.json"; }
std::string cluster_state(const std::string& home) { return home + "/cluster.state"; }
std::string topics_directory(const std::string& home) { return home + "/topics"; }
std::string deletion_mark(const std::string& topic_file, int64_t version) {
  return fmt::format("{}.deleted-{}", topic_file, version);
}

std::string topic_file(const std::string& home, std::string_view topic) {
  return fmt::format("{}/{}/topic.json", topics_directory(home), topic);
}

std::string locks_directory(const std::string& home) { return home + "/locks"; }
std::string broker_lock(const std::string& home, BrokerId broker) {
  return fmt::format("{}/broker-{}.lock", locks_directory(home), broker.value);
}
std::string supervisor_lock(const std::string& home, BrokerId broker) {
  return fmt::format("{}/supervisor-{}.lock", locks_directory(home), broker.value);
}
std::string logs_directory(const std::string& home) { return home + "/logs"; }
std::string broker_log(const std::string& home, BrokerId broker) {
  return fmt::format("{}/broker-{}.log", logs_directory(home), broker.value);
}
std::string older_log(const std::string& log) { return log + ".1"; }
std::string producers_lock(const std::string& home) { return locks_directory(home) + "/producers"; }
std::string producer_holder(const std::string& home, int64_t producer_id) {
  return fmt::format("{}/producer-{}.holder", locks_directory(home), producer_id);
}

std::string schema_index(const std::string& home) { return home + "/schemas.index"; }
std::string new_schema_index(const std::string& home) { return schema_index(home) + ".new"; }
std::string schema_index_lock(const std::string& home) { return locks_directory(home) + "/schemas-index.lock"; }

std::string groups_directory(const std::string& home) { return home + "/groups"; }
std::string group_directory(const std::string& home, std::string_view group) {
  return fmt::format("{}/{}", groups_directory(home), group);
}
std::string group_members_lock(const std::string& home, std::string_view group) {
  return group_directory(home, group) + "/members.lock";
}
std::string group_heartbeats(const std::string& home, std::string_view group) {
  return group_directory(home, group) + "/heartbeats";
}
std::string group_owners_directory(const std::string& home, std::string_view group) {
  return group_directory(home, group) + "/owners";
}
std::string group_owners_lock(const std::string& home, std::string_view group, std::string_view topic) {
  return fmt::format("{}/{}.lock", group_owners_directory(home, group), topic);
}

std::string versioned(const std::string& path, int64_t version) { return fmt::format("{}.v{}", path, version); }

std::optional<int64_t> parse_version(std::string_view file_name, std::string_view base) {
  if (!file_name.starts_with(base) || !file_name.substr(base.size()).starts_with(".v")) return {};
  const auto digits = file_name.substr(base.size() + 2);
  return all_digits(digits) ? parse_integer(digits) : std::nullopt;
}

std::string_view last_component(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace pg::names

namespace pilgrimage {

Result<> check_topic_name(std::string_view name) { return pg::names::check_topic(name); }
Result<> check_group_name(std::string_view name) { return pg::names::check_group_name(name); }

}  // namespace pilgrimage
