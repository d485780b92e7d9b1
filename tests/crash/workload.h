// The life of a home in some forty steps: everything that changes a file happens in one of them.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/client.h"

namespace pg::crash {

struct Step {
  std::string name;
  std::function<Result<>(Client&)> run;
};

const std::vector<Step>& workload();

}  // namespace pg::crash
