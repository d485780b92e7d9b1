// pg-bench open: how long a command waits before its first record, with few partitions and with many.
#include <fmt/format.h>

#include "core/local/consumer.h"
#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/result.h"
#include "tools/pg-bench/scratch.h"
#include "tools/pg-bench/workers.h"

namespace pg {
namespace {

constexpr int64_t kPartitionCounts[] = {1, 10, 100, 1000};
constexpr int64_t kRounds = 20;

Result<Measurement> send_one(Home& home, const BenchOptions& options, const WorkerTask& task) {
  PG_ASSIGN(const auto producer, LocalProducer::open(home, task.topic, options.producer));
  PG_CHECK(producer->send({.value = "hi"}));
  PG_CHECK(producer->close());
  return Measurement(task.start);
}

// Opens every partition, though one has the record.
Result<Measurement> read_one(Home& home, const BenchOptions&, const WorkerTask& task) {
  PG_ASSIGN(const auto consumer, LocalConsumer::open(home, {.topics = {task.topic}}));
  PG_ASSIGN(const auto record, consumer->next_record());
  if (!record) return fail(Errc::not_found, "topic '" + task.topic + "' has no record");
  return Measurement(task.start);
}

Result<BenchResult> measure_starts(const Home& home, const WorkerRole& role, const Arguments& arguments,
                                   const BenchOptions& options, const std::string& topic, const char* what,
                                   const char* until) {
  Clock& clock = home.env().clock;
  Measurement measured(clock.now());
  for (int64_t round = 0; round < options.count; ++round) {
    const Deadline began = clock.now();
    PG_CHECK(run_worker(home, role, arguments, {topic, 0, 1, began}));
    measured.latency().record((clock.now() - began).count());
  }
  return BenchResult{"open",
                     fmt::format("{}, {} partition{}", what, options.partitions, options.partitions == 1 ? "" : "s"),
                     until, options.to_json(), std::move(measured)};
}

}  // namespace

const WorkerRole kSendOneRole{"send-one", open_table, send_one};
const WorkerRole kReadOneRole{"read-one", open_table, read_one};

OptionTable open_table(Tool& tool, BenchOptions& options) {
  options.count = kRounds;
  options.producer.flush = FlushMode::never;
  OptionTable table("pg-bench open", "",
                    "Measures the whole life of a process that sends or reads one record, with 1 to 1,000 partitions.");
  table.count("--count", 1, options.count, "so many processes for each figure (default 20)");
  table.count("--replication-factor", 1, options.replication_factor, "of the topics (default: as pg-topic create)");
  tool.add_common_options(table, "print the results as lines of JSON");
  return table;
}

int bench_open(const Arguments& arguments) {
  Tool tool("pg-bench open");
  BenchOptions options;
  OptionTable table = open_table(tool, options);
  return run_tidily(tool, table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home_to_write());
    std::vector<BenchResult> results;
    for (const int64_t partitions : kPartitionCounts) {
      options.partitions = partitions;
      PG_ASSIGN(const BenchTopic topic, BenchTopic::make(tool, *home, options));
      PG_ASSIGN(auto sent,
                measure_starts(*home, kSendOneRole, arguments, options, topic.name(), "send one", "committed"));
      PG_ASSIGN(auto read, measure_starts(*home, kReadOneRole, arguments, options, topic.name(), "read one", "read"));
      results.push_back(std::move(sent));
      results.push_back(std::move(read));
    }
    PG_CHECK(print_results(tool, *home, results));
    return kExitDone;
  });
}

}  // namespace pg
