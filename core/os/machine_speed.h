// How fast the machine itself is, so that a benchmark's result can be told from its machine's.
#pragma once

#include <string>

#include "core/os/env.h"

namespace pg {

struct MachineSpeed {
  int processors = 0;
  double syncs_per_second = 0;         // one write of 4 KiB and its fdatasync after another, in a file that grows
  double memory_bytes_per_second = 0;  // copied, from and to more than any cache holds
  double pipe_bytes_per_second = 0;    // from one thread to another, 64 KiB at a time
};

// Takes about a second. The file is in `directory`, without a name.
Result<MachineSpeed> measure_machine(const Env& env, const std::string& directory);

}  // namespace pg
