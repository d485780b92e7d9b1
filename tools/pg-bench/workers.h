// The processes of a benchmark: this program once more, with a hidden command, so that what is measured between them
// goes through the files of the home as it does between any other programs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tools/common/subcommands.h"
#include "tools/pg-bench/bench_options.h"
#include "tools/pg-bench/measurement.h"

namespace pg {

// Which part of the work is one's own.
struct WorkerTask {
  std::string topic;
  int64_t index = 0;  // of so many
  int64_t of = 1;
  Deadline start;  // when all begin, by the clock that all processes share
};

// What a process is there for.
struct WorkerRole {
  const char* name;
  OptionTable (*table)(Tool& tool, BenchOptions& options);  // of the command that it is a part of
  Result<Measurement> (*work)(Home& home, const BenchOptions& options, const WorkerTask& task);
};

// Processes with one role, `of` of them.
struct Crew {
  const WorkerRole* role;
  int64_t of;
};

// Runs them at the same time until all have ended: what each crew has measured, in order. An error of one of them ends
// the others. `arguments`: of the command, for its table.
Result<std::vector<Measurement>> run_workers(const Home& home, const Arguments& arguments, const BenchOptions& options,
                                             const std::string& topic, std::span<const Crew> crews);

// One process with its role, from its start to its end: the time that a user waits for a command.
Result<> run_worker(const Home& home, const WorkerRole& role, const Arguments& arguments, const WorkerTask& task);

// The tables of the commands that have such processes.
OptionTable produce_table(Tool& tool, BenchOptions& options);
OptionTable consume_table(Tool& tool, BenchOptions& options);
OptionTable latency_table(Tool& tool, BenchOptions& options);
OptionTable durable_table(Tool& tool, BenchOptions& options);
OptionTable open_table(Tool& tool, BenchOptions& options);

extern const WorkerRole kSendRole, kReadRole, kTimedSendRole, kFollowRole, kDurableRole, kSendOneRole, kReadOneRole;

}  // namespace pg
