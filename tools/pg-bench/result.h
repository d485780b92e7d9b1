// The result of a benchmark: for people, and as a line of JSON that 'pg-bench report' draws.
#pragma once

#include <string>
#include <vector>

#include "tools/pg-bench/bench_options.h"
#include "tools/pg-bench/measurement.h"

namespace pg {

// What one measurement came to, and under which options.
struct BenchResult {
  std::string bench;         // the command
  std::string subject = {};  // which of its results, where it has several: "1000 partitions"
  std::string until = {};    // what a latency ends with: "committed", "read", ...
  nlohmann::ordered_json options = {};
  Measurement measured;
  nlohmann::ordered_json figures =
      nlohmann::ordered_json::object();  // what only this benchmark has: {"seconds_per_gb": 0.4}
};

// Prints them, and how fast the machine is itself at this time: its disk, that of `home`, memory and pipes.
Result<> print_results(const Tool& tool, const Home& home, const std::vector<BenchResult>& results);

}  // namespace pg
