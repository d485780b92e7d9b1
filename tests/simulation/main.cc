// simulate SEEDS [FIRST]: runs so many seeds. Of the first one that violates an invariant it prints what happened, and ends
// with 1.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/simulation/simulation.h"

namespace {

using namespace pg::sim;

int explain(uint64_t seed) {
  const Outcome again = simulate(seed, Mutation::none, true);
  for (const auto& line : again.notes) fmt::print("{}\n", line);
  fmt::print("seed {}: {}\n", seed, again.violation);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: simulate SEEDS [FIRST]\n");
    return 2;
  }
  const uint64_t seeds = std::strtoull(argv[1], nullptr, 10), first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  int64_t turns = 0, acknowledged = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const Outcome outcome = simulate(seed);
    if (!outcome.violation.empty()) return explain(seed);
    turns += outcome.turns;
    acknowledged += outcome.acknowledged;
  }
  fmt::print("{} seeds from {}: {} turns, {} records acknowledged; 0 violations\n", seeds, first, turns, acknowledged);
  return 0;
}
