// A machine whose power can go, and any of whose calls can fail.
#pragma once

#include <optional>
#include <string>

#include "tests/support/power_cut.h"
#include "tests/support/test_env.h"

namespace pg::crash {

struct Machine {
  TestEnv env;
  SeededRandom random;  // its own: a machine that was restarted makes other names
  std::optional<PowerCut> power;

  // `boot` others have run on its disk before.
  Machine(int boot, uint64_t seed) : random(seed) {
    for (int i = 0; i < boot; ++i) env.reboot();
  }
  // With what is there.
  void start() { power.emplace(env.memory, env.root(), &env.files); }
  Env shown() {
    const Env all = env.env();
    return {*power, all.clock, random, all.boot_id, all.process, all.notice};
  }
  std::string home() const { return env.root() + "/home"; }
};

}  // namespace pg::crash
