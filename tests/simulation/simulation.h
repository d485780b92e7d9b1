// One seed from beginning to end: a cluster at work, faults, and then a while without any, in which it must heal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/mutation.h"

namespace pg::sim {

struct Outcome {
  std::string violation;  // empty: none
  bool stuck = false;     // nothing is lost, but the cluster does not heal
  std::vector<std::string> notes;
  int64_t turns = 0;
  int64_t acknowledged = 0;
};

// The same seed gives the same outcome. `tracing`: with notes of what happened.
Outcome simulate(uint64_t seed, Mutation broken = Mutation::none, bool tracing = false);

}  // namespace pg::sim
