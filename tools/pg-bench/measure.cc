// pg-bench produce, consume, latency, durable: what processes side by side do with one topic.
#include <fmt/format.h>

#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/result.h"
#include "tools/pg-bench/scratch.h"
#include "tools/pg-bench/workers.h"

namespace pg {
namespace {

constexpr int64_t kConsumedRecords = 1'000'000;
constexpr int64_t kLatencyRate = 1000;

// The state that a batch is reported in, as BatchReport has it.
const char* acknowledged_state(const ProducerOptions& options) {
  if (options.flush != FlushMode::never) return "flushed";
  return options.acks == Acks::all ? "committed" : "written";
}

// A topic, the crews, and the result of the last one of them.
Result<ExitCode> measure(const Tool& tool, const Arguments& arguments, const BenchOptions& options,
                         std::span<const Crew> crews, const char* bench, const char* until,
                         const std::function<Result<>(Home&, const std::string& topic)>& prepare = {}) {
  PG_ASSIGN(const auto home, tool.open_home_to_write());
  PG_ASSIGN(const BenchTopic topic, BenchTopic::make(tool, *home, options));
  if (prepare) PG_CHECK(prepare(*home, topic.name()));
  PG_ASSIGN(auto measured, run_workers(*home, arguments, options, topic.name(), crews));
  PG_CHECK(print_results(
      tool, *home,
      {{.bench = bench, .until = until, .options = options.to_json(), .measured = std::move(measured.back())}}));
  return kExitDone;
}

// The rows that all tables here end with.
OptionTable with_topic_and_records(OptionTable table, Tool& tool, BenchOptions& options) {
  add_topic_options(table, options);
  add_record_options(table, options);
  tool.add_common_options(table, "print the result as a line of JSON");
  return table;
}

OptionTable sending_table(const char* command, const char* description, Tool& tool, BenchOptions& options) {
  OptionTable table(command, "", description);
  add_length_options(table, options);
  add_rate_option(table, options);
  add_process_option(table, options, "processes that send (default 1)");
  return with_topic_and_records(std::move(table), tool, options);
}

}  // namespace

OptionTable produce_table(Tool& tool, BenchOptions& options) {
  return sending_table("pg-bench produce",
                       "Measures how many records are sent, and how long it takes until each is acknowledged.", tool,
                       options);
}

OptionTable durable_table(Tool& tool, BenchOptions& options) {
  options.producer.flush = FlushMode::batch;
  return sending_table("pg-bench durable",
                       "Measures one record after another in each process, each on stable storage before the next.",
                       tool, options);
}

OptionTable consume_table(Tool& tool, BenchOptions& options) {
  options.count = kConsumedRecords;
  OptionTable table(
      "pg-bench consume", "",
      "Measures how many records are read, from a topic that is filled first, or from one that there is.");
  add_length_options(table, options);
  add_process_option(table, options, "processes that read; partitions are shared out (default 1)");
  return with_topic_and_records(std::move(table), tool, options);
}

OptionTable latency_table(Tool& tool, BenchOptions& options) {
  options.rate = kLatencyRate;
  OptionTable table("pg-bench latency", "",
                    "Measures the time from when a record is due in one process until another has read it.");
  add_length_options(table, options);
  table.count("--rate", 1, options.rate, "records per second of all processes together (default 1000)");
  add_process_option(table, options, "processes that send (default 1)");
  table.count("--readers", 1, options.readers, "processes that read; partitions are shared out (default 1)");
  return with_topic_and_records(std::move(table), tool, options);
}

int bench_produce(const Arguments& arguments) {
  Tool tool("pg-bench produce");
  BenchOptions options;
  OptionTable table = produce_table(tool, options);
  return run_tidily(tool, table, arguments, [&](const auto&) {
    const Crew crews[] = {{&kSendRole, options.processes}};
    return measure(tool, arguments, options, crews, "produce", acknowledged_state(options.producer));
  });
}

int bench_durable(const Arguments& arguments) {
  Tool tool("pg-bench durable");
  BenchOptions options;
  OptionTable table = durable_table(tool, options);
  return run_tidily(tool, table, arguments, [&](const auto&) {
    const Crew crews[] = {{&kDurableRole, options.processes}};
    return measure(tool, arguments, options, crews, "durable", acknowledged_state(options.producer));
  });
}

int bench_consume(const Arguments& arguments) {
  Tool tool("pg-bench consume");
  BenchOptions options;
  OptionTable table = consume_table(tool, options);
  return run_tidily(tool, table, arguments, [&](const auto&) {
    const Crew crews[] = {{&kReadRole, options.processes}};
    return measure(tool, arguments, options, crews, "consume", "", [&](Home& home, const std::string& topic) {
      if (!options.topic.empty()) return Result<>();
      return fill_topic(home, topic, options, [&](int64_t records, int64_t) { return records >= options.count; });
    });
  });
}

int bench_latency(const Arguments& arguments) {
  Tool tool("pg-bench latency");
  BenchOptions options;
  OptionTable table = latency_table(tool, options);
  return run_tidily(tool, table, arguments, [&](const auto&) {
    const Crew crews[] = {{&kTimedSendRole, options.processes}, {&kFollowRole, options.readers}};
    return measure(tool, arguments, options, crews, "latency", "read");
  });
}

}  // namespace pg
