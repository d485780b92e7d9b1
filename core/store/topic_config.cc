#include "core/store/topic_config.h"

#include <fmt/format.h>

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
  if (value == "CreateTime") config.timestamp_type = TimestampType::create;
  else if (value == "LogAppendTime") config.timestamp_type = TimestampType::log_append;
  else return fail(Errc::invalid_argument, "message.timestamp.type is CreateTime or LogAppendTime");
  return {};
}

Result<> set_compression(LogConfig& config, std::string_view value) {
  config.compression = value == "uncompressed" ? Codec::none : parse_codec(value);
  if (value != "producer" && (value == "none" || !config.compression)) {
    return fail(Errc::invalid_argument, "compression.type is producer, uncompressed, gzip, snappy, lz4 or zstd");
  }
  return {};
}

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

constexpr ConfigRow kTable[] = {
    {"compression.type", 0, 0, set_compression},
    {"flush.messages", 1, kLongMax, set_number<&LogConfig::flush_messages>},
    {"flush.ms", 0, kLongMax, set_number<&LogConfig::flush_ms>},
    {"index.interval.bytes", 0, kIntMax, set_number<&LogConfig::index_interval_bytes>},
    {"max.message.bytes", 100, kBatchBytesMax, set_number<&LogConfig::max_message_bytes>},
    {"message.timestamp.type", 0, 0, set_timestamp_type},
    {"segment.bytes", 1024, kIntMax, set_number<&LogConfig::segment_bytes>},
    {"segment.ms", 1, kLongMax, set_number<&LogConfig::segment_ms>},
};

std::string known_names() {
  std::string names;
  for (const auto& row : kTable) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

Result<> apply(LogConfig& config, std::string_view name, std::string_view value) {
  for (const auto& row : kTable) {
    if (row.name != name) continue;
    const auto number = parse_integer(value);
    if (row.most != 0 && (!number || *number < row.least || *number > row.most)) {
      return fail(Errc::invalid_argument, fmt::format("config {} must be a number from {} to {}, not '{}'", name, row.least,
                                                      row.most, value));
    }
    return row.apply(config, value);
  }
  return fail(Errc::invalid_argument, fmt::format("unknown config '{}'; known are {}", name, known_names()));
}

}  // namespace

Result<> add_config(ConfigMap& config, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid_argument, fmt::format("a config is written name=value, not '{}'", assignment));
  }
  const auto name = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  LogConfig checked;
  PG_CHECK(apply(checked, name, value));
  config[std::string(name)] = std::string(value);
  return {};
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
