#include "core/store/topic_config.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "core/base/text.h"

namespace pg {
namespace {

struct ConfigRow {
  std::string_view name;
  int64_t least, most;  // of a number; both 0 for a word
  Result<> (*apply)(LogConfig&, std::string_view value);
};

template <auto Member>
Result<> set_number(LogConfig& config, std::string_view value) {
  using Number = std::remove_reference_t<decltype(config.*Member)>;
  config.*Member = static_cast<Number>(parse_integer(value).value_or(0));  // in range, says the table
  return {};
}

Result<> set_timestamp_type(LogConfig& config, std::string_view value) {
  if (value == "CreateTime")
    config.timestamp_type = TimestampType::create;
  else if (value == "LogAppendTime")
    config.timestamp_type = TimestampType::log_append;
  else
    return fail(Errc::invalid_argument, "message.timestamp.type is CreateTime or LogAppendTime");
  return {};
}

Result<> set_compression(LogConfig& config, std::string_view value) {
  config.compression = value == "uncompressed" ? Codec::none : parse_codec(value);
  if (value != "producer" && (value == "none" || !config.compression)) {
    return fail(Errc::invalid_argument, "compression.type is producer, uncompressed, gzip, snappy, lz4 or zstd");
  }
  return {};
}

// The policies may come in any order, with commas between them.
Result<> set_cleanup_policy(LogConfig& config, std::string_view value) {
  config.cleanup_delete = config.cleanup_compact = false;
  for (const auto policy : split(value, ',')) {
    if (policy == "delete")
      config.cleanup_delete = true;
    else if (policy == "compact")
      config.cleanup_compact = true;
    else
      return fail(Errc::invalid_argument, "cleanup.policy is delete, compact, or compact,delete");
  }
  return {};
}

Result<> set_dirty_ratio(LogConfig& config, std::string_view value) {
  const char* const end = value.data() + value.size();
  double ratio = -1;
  const auto parsed = std::from_chars(value.data(), end, ratio, std::chars_format::fixed);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(ratio >= 0 && ratio <= 1)) {
    return fail(Errc::invalid_argument,
                fmt::format("config min.cleanable.dirty.ratio must be a number from 0 to 1, not '{}'", value));
  }
  config.min_cleanable_dirty_ratio = ratio;
  return {};
}

Result<> check_schema_validation(LogConfig&, std::string_view value) {
  if (value == "true" || value == "false") return {};
  return fail(Errc::invalid_argument, "schema.validation is true or false");
}

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

constexpr ConfigRow kTable[] = {
    {"cleanup.policy", 0, 0, set_cleanup_policy},
    {"compression.type", 0, 0, set_compression},
    {"delete.retention.ms", 0, kLongMax, set_number<&LogConfig::delete_retention_ms>},
    {"file.delete.delay.ms", 0, kLongMax, set_number<&LogConfig::file_delete_delay_ms>},
    {"flush.messages", 1, kLongMax, set_number<&LogConfig::flush_messages>},
    {"flush.ms", 0, kLongMax, set_number<&LogConfig::flush_ms>},
    {"index.interval.bytes", 0, kIntMax, set_number<&LogConfig::index_interval_bytes>},
    {"max.compaction.lag.ms", 1, kLongMax, set_number<&LogConfig::max_compaction_lag_ms>},
    {"max.message.bytes", 100, kBatchBytesMax, set_number<&LogConfig::max_message_bytes>},
    {"message.timestamp.type", 0, 0, set_timestamp_type},
    {"min.cleanable.dirty.ratio", 0, 0, set_dirty_ratio},
    {"min.compaction.lag.ms", 0, kLongMax, set_number<&LogConfig::min_compaction_lag_ms>},
    {"min.insync.replicas", 1, 16, set_number<&LogConfig::min_in_sync_replicas>},
    {"retention.bytes", -1, kLongMax, set_number<&LogConfig::retention_bytes>},
    {"retention.ms", -1, kLongMax, set_number<&LogConfig::retention_ms>},
    {"schema.validation", 0, 0, check_schema_validation},
    {"segment.bytes", 1024, kIntMax, set_number<&LogConfig::segment_bytes>},
    {"segment.ms", 1, kLongMax, set_number<&LogConfig::segment_ms>},
};

std::string known_names() {
  std::string names;
  for (const auto& row : kTable) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

}  // namespace

bool asks_for_schema(const ConfigMap& config) {
  const auto found = config.find("schema.validation");
  return found != config.end() && found->second == "true";
}

Result<> check_config_name(std::string_view name) {
  for (const auto& row : kTable) {
    if (row.name == name) return {};
  }
  return fail(Errc::invalid_argument, fmt::format("unknown config '{}'; known are {}", name, known_names()));
}

namespace {

Result<> apply(LogConfig& config, std::string_view name, std::string_view value) {
  PG_CHECK(check_config_name(name));
  for (const auto& row : kTable) {
    if (row.name != name) continue;
    const auto number = parse_integer(value);
    if (row.most != 0 && (!number || *number < row.least || *number > row.most)) {
      return fail(Errc::invalid_argument,
                  fmt::format("config {} must be a number from {} to {}, not '{}'", name, row.least, row.most, value));
    }
    return row.apply(config, value);
  }
  return {};
}

}  // namespace

Result<std::pair<std::string_view, std::string_view>> split_config(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid_argument, fmt::format("a config is written name=value, not '{}'", assignment));
  }
  return std::pair(assignment.substr(0, equals), assignment.substr(equals + 1));
}

Result<> add_config(ConfigMap& config, std::string_view assignment) {
  PG_ASSIGN(const auto parts, split_config(assignment));
  const auto [name, value] = parts;
  LogConfig checked;
  PG_CHECK(apply(checked, name, value));
  if (config.emplace(name, value).second) return {};
  return fail(Errc::invalid_argument, fmt::format("config {} is given twice", name));
}

Result<LogConfig> to_log_config(const ConfigMap& config) {
  LogConfig log;
  for (const auto& [name, value] : config) {
    const auto applied = apply(log, name, value);
    if (!applied) return fail(Errc::corrupt, applied.error().what);
  }
  return log;
}

}  // namespace pg
