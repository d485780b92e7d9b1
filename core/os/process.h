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

struct LockHolders {
  int seen = 0;    // other processes with an open file description through which the byte is locked
  int killed = 0;  // of these
};

// Kills every other process that has `byte` of the lock file locked, unless one of them has a byte of `spare` locked too: then
// none. Finds those that this process may look at in /proc. What a member of a group left running, when it died, holds
// its lock on; a member that lives holds more than that.
LockHolders kill_lock_holders(const FileInfo& lock_file, uint32_t byte, const FileInfo& spare);

}  // namespace pg
