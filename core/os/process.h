// Processes as others see them: who one is, and ending those that hang or were left behind.
#pragma once

#include <cstdint>

#include "core/os/file_system.h"

namespace pg {

struct ProcessInfo {
  int32_t pid = 0;
  uint64_t pid_namespace = 0;  // inode of /proc/self/ns/pid; with pid, a name for people, never a proof of life
};

// One process of one boot.
struct ProcessIdentity : ProcessInfo {
  uint64_t start_time = 0;  // in clock ticks since the boot: tells a process from a later one with its number
};

ProcessInfo this_process();
ProcessIdentity this_process_identity();

// Kills the process that was described, at once and for good. False: it is gone, another has its number, it is in
// another namespace, or it belongs to somebody else.
bool kill_process(const ProcessIdentity& process);

// Kills every process but this one that has an open file description through which `byte` of the lock file is locked; how many
// were. Finds those that this process may look at in /proc.
int kill_lock_holders(const FileInfo& lock_file, uint32_t byte);

}  // namespace pg
