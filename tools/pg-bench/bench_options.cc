#include "tools/pg-bench/bench_options.h"

#include "core/format/compression.h"
#include "tools/common/producer_options.h"

namespace pg {
namespace {

constexpr size_t kDifferentValues = 4096, kDifferentKeys = 1000;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Result<TextSource> BenchOptions::values() const {
  return value_file.empty() ? TextSource::made(value_bytes, kDifferentValues) : TextSource::of_file(value_file);
}

Result<std::optional<TextSource>> BenchOptions::keys() const {
  if (!key_file.empty()) return TextSource::of_file(key_file);
  return key_bytes == 0 ? std::optional<TextSource>() : TextSource::made(key_bytes, kDifferentKeys);
}

nlohmann::ordered_json BenchOptions::to_json() const {
  nlohmann::ordered_json json;
  if (!topic.empty()) json["topic"] = topic;
  json["partitions"] = partitions;
  if (replication_factor > 0) json["replication_factor"] = replication_factor;
  if (value_file.empty())
    json["value_bytes"] = value_bytes;
  else
    json["values"] = value_file;
  if (!key_file.empty())
    json["keys"] = key_file;
  else if (key_bytes > 0)
    json["key_bytes"] = key_bytes;
  if (count > 0) json["count"] = count;
  if (count == 0 || duration) json["duration_seconds"] = seconds(measured_length());
  json["warm_up_seconds"] = seconds(warm_up_length());
  json["rate"] = rate;
  json["processes"] = processes;
  json["readers"] = readers;
  json["acks"] = name_of(producer.acks);
  json["flush"] = name_of(producer.flush);
  json["compression"] = codec_name(static_cast<int>(producer.codec));
  json["batch_bytes"] = producer.batch_bytes;
  json["linger_ms"] = seconds(producer.linger) * 1000;
  return json;
}

void add_topic_options(OptionTable& table, BenchOptions& options) {
  table.option("--topic", "TOPIC", options.topic, "use TOPIC, which stays (default: a new one, deleted at the end)");
  table.count("--partitions", 1, options.partitions, "of the new topic (default 1)");
  table.count("--replication-factor", 1, options.replication_factor, "of the new topic (default: as pg-topic create)");
}

void add_record_options(OptionTable& table, BenchOptions& options) {
  table.size("--value-bytes", 0, options.value_bytes, "make values of SIZE (default 100)");
  table.size("--key-bytes", 1, options.key_bytes, "make keys of SIZE, 1,000 different ones (default: no keys)");
  table.option("--values", "FILE", options.value_file, "values are the lines of FILE, again and again");
  table.option("--keys", "FILE", options.key_file, "keys are the lines of FILE, again and again");
  add_producer_options(table, options.producer);
}

void add_length_options(OptionTable& table, BenchOptions& options) {
  table.count("--count", 1, options.count, "end after N records of all processes together");
  table.duration("--duration", options.duration, "end after DURATION (default 10s, unless there is a --count)");
  table.duration("--warm-up", options.warm_up,
                 "do not measure what comes before DURATION\n(default 1s, with --count alone 0)");
}

void add_rate_option(OptionTable& table, BenchOptions& options) {
  table.count("--rate", 1, options.rate,
              "records per second of all processes together, each due at its\ntime: latencies count from then "
              "(default: as fast as it goes)");
}

void add_process_option(OptionTable& table, BenchOptions& options, const char* help) {
  table.count("-P,--processes", 1, options.processes, help);
}

}  // namespace pg
