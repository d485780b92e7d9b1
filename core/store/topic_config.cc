#include "core/store/topic_config.h"

#include <charconv>
#include <limits>

#include "core/base/text.h"

namespace pg {
namespace {

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

template <auto Member>
void set_number(LogConfig& config, std::string_view value) {
  using Number = std::remove_reference_t<decltype(config.*Member)>;
  config.*Member = static_cast<Number>(parse_integer(value).value_or(0));
}

template <auto Member>
std::string show_number(const LogConfig& config) {
  return std::to_string(config.*Member);
}

template <auto Member>
constexpr ConfigRow<LogConfig> number(std::string_view name, int64_t least, int64_t most, std::string_view text) {
  return {name, ConfigValues::number(least, most), set_number<Member>, show_number<Member>, text};
}

void set_timestamp_type(LogConfig& config, std::string_view value) {
  config.timestamp_type = value == "CreateTime" ? TimestampType::create : TimestampType::log_append;
}

std::string show_timestamp_type(const LogConfig& config) {
  return config.timestamp_type == TimestampType::create ? "CreateTime" : "LogAppendTime";
}

void set_compression(LogConfig& config, std::string_view value) {
  config.compression = value == "uncompressed" ? Codec::none : parse_codec(value);  // empty: "producer"
}

std::string show_compression(const LogConfig& config) {
  if (!config.compression) return "producer";
  return *config.compression == Codec::none ? "uncompressed" : codec_name(static_cast<int>(*config.compression));
}

void set_cleanup_policy(LogConfig& config, std::string_view value) {
  config.cleanup_delete = config.cleanup_compact = false;
  for (const auto policy : split(value, ','))
    (policy == "delete" ? config.cleanup_delete : config.cleanup_compact) = true;
}

std::string show_cleanup_policy(const LogConfig& config) {
  if (!config.cleanup_compact) return "delete";
  return config.cleanup_delete ? "compact,delete" : "compact";
}

void set_dirty_ratio(LogConfig& config, std::string_view value) {
  std::from_chars(value.data(), value.data() + value.size(), config.min_cleanable_dirty_ratio,
                  std::chars_format::fixed);
}

std::string show_dirty_ratio(const LogConfig& config) { return fmt::format("{}", config.min_cleanable_dirty_ratio); }

// No log obeys schema.validation: see asks_for_schema().
void set_nothing(LogConfig&, std::string_view) {}
std::string show_false(const LogConfig&) { return "false"; }

constexpr ConfigRow<LogConfig> kRows[] = {
    {"cleanup.policy", ConfigValues::words("delete compact"), set_cleanup_policy, show_cleanup_policy,
     "With *delete*, *retention.ms* and *retention.bytes* count. With *compact*, *pg-topic compact* leaves only the "
     "last "
     "record of each key, and *pg-produce* refuses records without a key. A record with a null value, a tombstone, "
     "deletes its key. Records keep their offsets."},
    {"compression.type", ConfigValues::word("producer uncompressed gzip snappy lz4 zstd"), set_compression,
     show_compression,
     "How producers compress. *producer*: as each producer likes, with *pg-produce -z*. The others count whatever *-z* "
     "says. A batch that would not get smaller is never compressed. Batches that are in the topic stay as they are."},
    number<&LogConfig::delete_retention_ms>("delete.retention.ms", 0, kLongMax,
                                            "How long a tombstone stays after compaction has met it for the first "
                                            "time, so that readers can learn of it. The "
                                            "next compaction after that removes it."),
    number<&LogConfig::file_delete_delay_ms>(
        "file.delete.delay.ms", 0, kLongMax,
        "Segments that retention or compaction took out of a log keep their space, as files that end in .deleted, for "
        "so "
        "many milliseconds, and then until a segment is full or *pg-topic compact* runs."),
    number<&LogConfig::flush_messages>(
        "flush.messages", 1, kLongMax,
        "An append that leaves so many records unflushed flushes them, whatever *pg-produce --flush* says. The default "
        "is no limit."),
    number<&LogConfig::flush_ms>("flush.ms", 0, kLongMax,
                                 "A producer flushes what it has written at most so many milliseconds later, and when "
                                 "it ends, also with *--flush "
                                 "never*. With 0 it flushes each batch at once. The default is no limit."),
    number<&LogConfig::index_interval_bytes>(
        "index.interval.bytes", 0, kIntMax,
        "An index gets an entry when more than so many bytes were appended since the last one."),
    number<&LogConfig::max_compaction_lag_ms>("max.compaction.lag.ms", 1, kLongMax,
                                              "A record that compaction has not looked at for so long makes compaction "
                                              "due, and closes the active segment for "
                                              "it. The default is never."),
    number<&LogConfig::max_message_bytes>(
        "max.message.bytes", 100, kBatchBytesMax,
        "The largest batch, and so the largest record with the 61 bytes of its batch's header."),
    {"message.timestamp.type", ConfigValues::word("CreateTime LogAppendTime"), set_timestamp_type, show_timestamp_type,
     "*CreateTime*: the producer's time. *LogAppendTime*: the time of the append."},
    {"min.cleanable.dirty.ratio", ConfigValues::ratio(), set_dirty_ratio, show_dirty_ratio,
     "Compaction is due when at least this part of the closed segments' bytes has not been compacted yet."},
    number<&LogConfig::min_compaction_lag_ms>(
        "min.compaction.lag.ms", 0, kLongMax,
        "Compaction leaves a segment alone that has a record younger than so many milliseconds."),
    number<&LogConfig::min_in_sync_replicas>(
        "min.insync.replicas", 1, 16,
        "With fewer copies in sync than so many, *pg-produce* with *--acks all* ends with exit 5, and nothing is "
        "committed. Only with more than one copy."),
    number<&LogConfig::retention_bytes>(
        "retention.bytes", -1, kLongMax,
        "The oldest segments are deleted as long as what stays is not less than so many bytes in a partition. With -1 "
        "all are kept."),
    number<&LogConfig::retention_ms>(
        "retention.ms", -1, kLongMax,
        "A segment is deleted, from the oldest on, when its latest record is so many milliseconds old. With -1 all are "
        "kept. In Kafka the default is a week; here nothing is deleted that nobody asked to delete."),
    {"schema.validation", ConfigValues::boolean(), set_nothing, show_false,
     "With *true*, *pg-produce* writes only values that match the latest version of the subject _TOPIC_*-value*: see "
     "*pg-schema*(1). Programs that write by themselves, and the topic of *pg-consume --dlq*, are not looked at."},
    number<&LogConfig::segment_bytes>("segment.bytes", 1024, kIntMax,
                                      "A segment that would grow beyond so many bytes is closed, and a new one begun."),
    number<&LogConfig::segment_ms>(
        "segment.ms", 1, kLongMax,
        "A segment is closed too when a batch comes that is so many milliseconds later than the segment's first one."),
};

constexpr ConfigTable<LogConfig> kTable(kRows, "");

}  // namespace

bool asks_for_schema(const ConfigMap& config) {
  const auto found = config.find("schema.validation");
  return found != config.end() && found->second == "true";
}

Result<> check_config_name(std::string_view name) { return kTable.check_name(name); }

Result<> add_config(ConfigMap& config, std::string_view assignment) { return kTable.add(config, assignment); }

std::vector<ConfigDescription> describe_topic_configs() { return kTable.describe(); }

Result<LogConfig> to_log_config(const ConfigMap& config) {
  LogConfig log;
  const auto set = kTable.set_all(log, config);
  if (!set) return fail(Errc::corrupt, set.error().what);
  return log;
}

}  // namespace pg
