// What a benchmark is asked to do. Its processes get the same arguments and read them with the same tables.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/local/producer.h"
#include "tools/common/run_tool.h"
#include "tools/pg-bench/pacer.h"
#include "tools/pg-bench/record_source.h"

namespace pg {

struct BenchOptions {
  std::string topic;  // of the home; empty: a new one, which is deleted at the end
  ProducerOptions producer;
  int64_t partitions = 1;
  int64_t replication_factor = 0;  // 0: as pg-topic create

  std::string value_file, key_file;
  size_t value_bytes = 100;
  size_t key_bytes = 0;  // 0 and no file: no keys

  std::optional<Duration> duration;
  std::optional<Duration> warm_up;
  int64_t count = 0;  // of all processes together; 0: as many as fit into the duration
  int64_t rate = 0;   // records per second of all processes together; 0: as fast as it goes
  int64_t processes = 1;
  int64_t readers = 1;

  // With a count alone there is no other end, and nothing to warm up for.
  Duration measured_length() const {
    return duration.value_or(count > 0 ? std::chrono::hours(24) : std::chrono::seconds(10));
  }
  Duration warm_up_length() const {
    return warm_up.value_or(count > 0 && !duration ? Duration(0) : std::chrono::seconds(1));
  }

  Result<TextSource> values() const;
  Result<std::optional<TextSource>> keys() const;
  // What may make two results differ.
  nlohmann::ordered_json to_json() const;
};

// Rows of `table`, for the commands that they make sense for. `options` outlives it.
void add_topic_options(OptionTable& table, BenchOptions& options);   // which one, or how to make it
void add_record_options(OptionTable& table, BenchOptions& options);  // what records look like
void add_length_options(OptionTable& table, BenchOptions& options);  // how long it takes
void add_rate_option(OptionTable& table, BenchOptions& options);
void add_process_option(OptionTable& table, BenchOptions& options, const char* help);

}  // namespace pg
