// The machine as core sees it: given to every class that needs it, so that tests can replace any part.
#pragma once

#include <functional>
#include <string>

#include "core/os/clock.h"
#include "core/os/file_system.h"

namespace pg {

struct ProcessInfo {
  int32_t pid = 0;
  uint64_t pid_namespace = 0;  // inode of /proc/self/ns/pid; with pid, a name for people, never a proof of life
};

struct Env {
  FileSystem& files;
  Clock& clock;
  Random& random;
  // This boot of this machine; a page that says another boot is worthless. Refused where it cannot be read.
  std::function<Result<Uuid>()> boot_id;
  std::function<ProcessInfo()> process;
  // Called with one line for people when something was repaired or is odd; may be called from any thread.
  std::function<void(const std::string&)> notice = [](const std::string&) {};
};

// The real machine.
Env posix_env();

}  // namespace pg
