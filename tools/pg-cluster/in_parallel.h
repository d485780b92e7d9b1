// The same step for several brokers at once.
#pragma once

#include <algorithm>
#include <vector>

#include "tools/common/run_tool.h"

namespace pg {

// Begins with each broker, and then waits for each: Step has begin() and finish(deadline), which returns an exit
// status. A broker that fails is reported and does not keep the others from theirs; the result is the highest status.
template <class Step>
ExitCode in_parallel(const Tool& tool, const Home& home, const std::vector<BrokerId>& brokers) {
  ExitCode worst = kExitDone;
  const auto fails = [&](const Error& error) {
    tool.error(error.message());
    worst = std::max(worst, exit_code(error));
  };
  std::vector<Step> begun;
  for (const BrokerId broker : brokers) {
    begun.emplace_back(tool, home, broker);
    if (const auto outcome = begun.back().begin(); !outcome) {
      fails(outcome.error());
      begun.pop_back();
    }
  }
  const Deadline deadline = tool.deadline();
  for (auto& step : begun) {
    const Result<ExitCode> outcome = step.finish(deadline);
    if (outcome)
      worst = std::max(worst, *outcome);
    else
      fails(outcome.error());
  }
  return worst;
}

}  // namespace pg
