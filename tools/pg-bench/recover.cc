// pg-bench recover: how long a log takes that nobody has closed, as after the end of a machine.
#include <fmt/format.h>

#include <utility>

#include "core/format/path_names.h"
#include "core/local/admin.h"
#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/result.h"
#include "tools/pg-bench/scratch.h"

namespace pg {
namespace {

constexpr size_t kLogBytes = size_t{1} << 30;
constexpr const char* kTopic = "t";

// Opens the log whose state page, as after a restart of the machine, says nothing, and where `whole`, no recovery point
// either.
Result<BenchResult> recover(const Env& env, const std::string& path, const BenchOptions& options, bool whole) {
  PG_ASSIGN(const auto home, Home::open(env, path));
  PG_ASSIGN(const auto topic, home->describe_topic(kTopic));
  const std::string log_directory = home->log_directory(BrokerId(0));
  PG_CHECK(
      env.files.unlink(names::partition_state(names::partition_directory(log_directory, {kTopic, PartitionId(0)}))));
  if (whole) PG_CHECK(env.files.unlink(names::recovery_checkpoint(log_directory)));
  Measurement measured(env.clock.now());
  PG_ASSIGN(const auto described, describe_partition(*home, topic, PartitionId(0), kNoDeadline));
  measured.passed(env.clock.now(), described.log_end.value, described.bytes);
  nlohmann::ordered_json figures{{"bytes", described.bytes}};
  if (whole) figures["seconds_per_gb"] = measured.seconds() * 1e9 / static_cast<double>(described.bytes);
  return BenchResult{
      "recover", whole ? "the whole log" : "from the recovery point", "", options.to_json(), std::move(measured),
      figures};
}

}  // namespace

int bench_recover(const Arguments& arguments) {
  Tool tool("pg-bench recover");
  BenchOptions options;
  size_t log_bytes = kLogBytes;
  OptionTable table(
      "pg-bench recover", "",
      "Measures how long it takes to open a log whose end is not known, by reading it; in a home of its own.");
  table.size("--bytes", 1, log_bytes, "write a log of SIZE first (default 1G)");
  add_record_options(table, options);
  tool.add_common_options(table, "print the results as lines of JSON");
  return run_tidily(tool, table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto outer, tool.open_home_to_write());
    PG_ASSIGN(const BenchHome own, BenchHome::make(*outer));
    {
      PG_ASSIGN(const auto home, Home::open(tool.env(), own.path()));
      PG_CHECK(fill_topic(*home, kTopic, options,
                          [&](int64_t, int64_t bytes) { return std::cmp_greater_equal(bytes, log_bytes); }));
    }
    std::vector<BenchResult> results;
    for (const bool whole : {false, true}) {
      PG_ASSIGN(auto result, recover(tool.env(), own.path(), options, whole));
      results.push_back(std::move(result));
    }
    PG_CHECK(print_results(tool, *outer, results));
    return kExitDone;
  });
}

}  // namespace pg
