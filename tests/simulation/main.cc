// simulate SEEDS [FIRST]: runs so many seeds. Of the first one that violates an invariant it prints what happened, and
// ends with 1. simulate --list SEEDS [FIRST]: goes on after that, and prints a line for each. simulate --break RULE
// SEEDS [FIRST]: with a rule of the protocol switched off something must go wrong, so it ends with 0 once a seed has
// lost something, and with 1 if none has.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "tests/simulation/simulation.h"

namespace {

using namespace pg::sim;

struct Seeds {
  uint64_t first = 1, count = 0;
  uint64_t end() const { return first + count; }
};

int explain(uint64_t seed) {
  const Outcome again = simulate(seed, Mutation::none, true);
  for (const auto& line : again.notes) fmt::print("{}\n", line);
  fmt::print("seed {}: {}\n", seed, again.violation);
  return 1;
}

int run(const Seeds& seeds, bool list) {
  int64_t turns = 0, acknowledged = 0, violations = 0;
  for (uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const Outcome outcome = simulate(seed);
    turns += outcome.turns;
    acknowledged += outcome.acknowledged;
    if (outcome.violation.empty()) continue;
    if (!list) return explain(seed);
    ++violations;
    fmt::print("seed {}: {}\n", seed, outcome.violation);
  }
  fmt::print("{} seeds from {}: {} turns, {} records acknowledged; {} violations\n", seeds.count, seeds.first, turns,
             acknowledged, violations);
  return violations == 0 ? 0 : 1;
}

int run_broken(Mutation rule, const Seeds& seeds) {
  for (uint64_t seed = seeds.first; seed < seeds.end(); ++seed) {
    const Outcome outcome = simulate(seed, rule);
    if (outcome.violation.empty() || outcome.stuck) continue;
    fmt::print("seed {}: {}\n", seed, outcome.violation);
    return 0;
  }
  fmt::print("{} seeds from {}: nothing was lost\n", seeds.count, seeds.first);
  return 1;
}

int usage() {
  fmt::print(stderr, "usage: simulate [--list | --break RULE] SEEDS [FIRST]\nrules:");
  for (const auto& [rule, name] : kMutations) fmt::print(stderr, " {}", name);
  fmt::print(stderr, "\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int next = 1;
  const auto more = [&] { return argc - next; };
  const bool list = more() > 0 && std::strcmp(argv[next], "--list") == 0;
  if (list) ++next;
  Mutation broken = Mutation::none;
  if (!list && more() > 1 && std::strcmp(argv[next], "--break") == 0) {
    for (const auto& [rule, name] : kMutations) {
      if (name == argv[next + 1]) broken = rule;
    }
    if (broken == Mutation::none) return usage();
    next += 2;
  }
  if (more() < 1 || more() > 2) return usage();
  Seeds seeds;
  seeds.count = std::strtoull(argv[next], nullptr, 10);
  if (more() == 2) seeds.first = std::strtoull(argv[next + 1], nullptr, 10);
  return broken == Mutation::none ? run(seeds, list) : run_broken(broken, seeds);
}
