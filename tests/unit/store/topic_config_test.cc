#include "core/store/topic_config.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("topic_config: each config, its limits and what it sets") {
  const struct {
    const char* assignment;
    bool (*is_set)(const LogConfig&);
  } good[] = {
      {"segment.bytes=1024", [](const LogConfig& c) { return c.segment_bytes == 1024; }},
      {"segment.bytes=2147483647", [](const LogConfig& c) { return c.segment_bytes == INT32_MAX; }},
      {"segment.ms=1", [](const LogConfig& c) { return c.segment_ms == 1; }},
      {"segment.ms=9223372036854775807", [](const LogConfig& c) { return c.segment_ms == INT64_MAX; }},
      {"max.message.bytes=100", [](const LogConfig& c) { return c.max_message_bytes == 100; }},
      {"max.message.bytes=1073741824", [](const LogConfig& c) { return c.max_message_bytes == 1 << 30; }},
      {"compression.type=zstd", [](const LogConfig& c) { return c.compression == Codec::zstd; }},
      {"compression.type=uncompressed", [](const LogConfig& c) { return c.compression == Codec::none; }},
      {"compression.type=producer", [](const LogConfig& c) { return !c.compression; }},
      {"flush.messages=1", [](const LogConfig& c) { return c.flush_messages == 1; }},
      {"flush.ms=0", [](const LogConfig& c) { return c.flush_ms == 0; }},
      {"cleanup.policy=delete", [](const LogConfig& c) { return c.cleanup_delete && !c.cleanup_compact; }},
      {"cleanup.policy=compact", [](const LogConfig& c) { return !c.cleanup_delete && c.cleanup_compact; }},
      {"cleanup.policy=compact,delete", [](const LogConfig& c) { return c.cleanup_delete && c.cleanup_compact; }},
      {"retention.ms=-1", [](const LogConfig& c) { return c.retention_ms == -1; }},
      {"retention.bytes=0", [](const LogConfig& c) { return c.retention_bytes == 0; }},
      {"file.delete.delay.ms=0", [](const LogConfig& c) { return c.file_delete_delay_ms == 0; }},
      {"delete.retention.ms=0", [](const LogConfig& c) { return c.delete_retention_ms == 0; }},
      {"min.compaction.lag.ms=5", [](const LogConfig& c) { return c.min_compaction_lag_ms == 5; }},
      {"max.compaction.lag.ms=5", [](const LogConfig& c) { return c.max_compaction_lag_ms == 5; }},
      {"min.cleanable.dirty.ratio=0.25", [](const LogConfig& c) { return c.min_cleanable_dirty_ratio == 0.25; }},
      {"index.interval.bytes=0", [](const LogConfig& c) { return c.index_interval_bytes == 0; }},
      {"message.timestamp.type=CreateTime",
       [](const LogConfig& c) { return c.timestamp_type == TimestampType::create; }},
      {"message.timestamp.type=LogAppendTime",
       [](const LogConfig& c) { return c.timestamp_type == TimestampType::log_append; }},
  };
  for (const auto& row : good) {
    CAPTURE(row.assignment);
    ConfigMap config;
    must(add_config(config, row.assignment));
    CHECK(config.size() == 1);
    CHECK(row.is_set(must(to_log_config(config))));
  }
}

TEST_CASE("topic_config: what is refused, and says why") {
  const std::pair<const char*, const char*> bad[] = {
      {"segment.bytes", "a config is written name=value, not 'segment.bytes'"},
      {"", "a config is written name=value, not ''"},
      {"segment.bytes=", "config segment.bytes must be a number from 1024 to 2147483647, not ''"},
      {"segment.bytes=1023", "config segment.bytes must be a number from 1024 to 2147483647, not '1023'"},
      {"segment.bytes=2147483648", "config segment.bytes must be a number from 1024 to 2147483647, not '2147483648'"},
      {"segment.bytes=1K", "config segment.bytes must be a number from 1024 to 2147483647, not '1K'"},
      {"segment.ms=0", "config segment.ms must be a number from 1 to 9223372036854775807, not '0'"},
      {"index.interval.bytes=-1", "config index.interval.bytes must be a number from 0 to 2147483647, not '-1'"},
      {"max.message.bytes=99", "config max.message.bytes must be a number from 100 to 1073741824, not '99'"},
      {"compression.type=none",
       "config compression.type must be producer, uncompressed, gzip, snappy, lz4 or zstd, not 'none'"},
      {"compression.type=",
       "config compression.type must be producer, uncompressed, gzip, snappy, lz4 or zstd, not ''"},
      {"retention.ms=-2", "config retention.ms must be a number from -1 to 9223372036854775807, not '-2'"},
      {"cleanup.policy=",
       "config cleanup.policy must be one or more of delete, compact, with commas between them, not ''"},
      {"cleanup.policy=compact, delete",
       "config cleanup.policy must be one or more of delete, compact, with commas between them, not 'compact, delete'"},
      {"min.cleanable.dirty.ratio=1.1", "config min.cleanable.dirty.ratio must be a number from 0 to 1, not '1.1'"},
      {"min.cleanable.dirty.ratio=nan", "config min.cleanable.dirty.ratio must be a number from 0 to 1, not 'nan'"},
      {"min.cleanable.dirty.ratio=", "config min.cleanable.dirty.ratio must be a number from 0 to 1, not ''"},
      {"message.timestamp.type=createtime",
       "config message.timestamp.type must be CreateTime or LogAppendTime, not 'createtime'"},
  };
  for (const auto& [assignment, message] : bad) {
    ConfigMap config;
    const Error error = error_of(add_config(config, assignment));
    CHECK(error.code == Errc::invalid_argument);
    CHECK(error.what == message);
    CHECK(config.empty());
  }
}

TEST_CASE("topic_config: a name that is not obeyed is refused, with those that are") {
  for (const char* name : {"unclean.leader.election.enable", "Segment.Bytes", ""}) {
    ConfigMap config;
    const Error error = error_of(add_config(config, std::string(name) + "=1"));
    CHECK(error.code == Errc::invalid_argument);
    CHECK(error.what.starts_with(std::string("unknown config '") + name + "'; known are "));
    for (const char* known : {"flush.messages", "segment.bytes", "segment.ms"}) {
      CHECK(error.what.find(known) != std::string::npos);
    }
    CHECK(config.empty());
  }
}

TEST_CASE("topic_config: a name is given once, and defaults are Kafka's") {
  ConfigMap config;
  must(add_config(config, "segment.ms=5"));
  CHECK(error_of(add_config(config, "segment.ms=6")).what == "config segment.ms is given twice");
  CHECK(must(to_log_config(config)).segment_ms == 5);
  const LogConfig defaults = must(to_log_config({}));
  CHECK(defaults.segment_bytes == 1 << 30);
  CHECK(defaults.segment_ms == 604'800'000);
  CHECK(defaults.max_message_bytes == 1'048'588);
  CHECK(defaults.index_interval_bytes == 4096);
  CHECK(defaults.flush_messages == INT64_MAX);
  CHECK(defaults.flush_ms == INT64_MAX);
  CHECK(defaults.delete_retention_ms == 86'400'000);
  CHECK(defaults.file_delete_delay_ms == 60'000);
  // But for these: nothing is deleted that nobody asked to delete.
  CHECK(defaults.retention_ms == -1);
  CHECK(defaults.retention_bytes == -1);
}

TEST_CASE("topic_config: a stored config that could not have been set is damage") {
  CHECK(code_of(to_log_config({{"segment.bytes", "x"}})) == Errc::corrupt);
  CHECK(code_of(to_log_config({{"no.such", "1"}})) == Errc::corrupt);
}

TEST_CASE("topic_config: each default that is described is the one that counts, and can be set") {
  for (const ConfigDescription& described : describe_topic_configs()) {
    CAPTURE(described.name);
    ConfigMap config;
    must(add_config(config, described.name + "=" + described.default_value));
    CHECK(must(to_log_config(config)) == LogConfig{});
    CHECK(!described.text.empty());
  }
}
