// Identifies a process to others, and ends processes that hang or were left behind.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "core/os/file_system.h"

namespace pg {

struct ProcessInfo {
  int32_t pid = 0;
  uint64_t pid_namespace =
      0;  // inode of /proc/self/ns/pid; a name for people, which does not prove that the process runs
};

// One process of one boot.
struct ProcessIdentity : ProcessInfo {
  uint64_t start_time = 0;  // in clock ticks since the boot: tells a process from a later one with its number
};

ProcessInfo this_process();
ProcessIdentity this_process_identity();

// A process is killed only while it is seen to hold the lock that it is killed for, and only if it belongs to this
// user. Every user who can write to a file can write a process id into it, and root could kill any process.

// Kills the described process, at once and for good, while it holds `byte` of the lock file exclusively. False: it does
// not hold it, is gone, another process has its number, it is in another namespace, or it belongs to another user.
bool kill_lock_holder(const ProcessIdentity& process, const FileInfo& lock_file, uint32_t byte);

// What kill_lock_holders() has found and done.
struct LockHolders {
  int seen = 0;  // other processes of this user with an open file description through which one of the bytes is locked
  int killed = 0;  // of these
};

// Kills other processes of this user that have one of `bytes` of the lock file locked; but where one of those that hold
// a byte has locked something in `spare` too, all of that byte's are left alone. Finds those that this process may look
// at in /proc. So commands that an ended member of a group left running, with its lock, are killed; a member that runs
// holds a byte of `spare`.
LockHolders kill_lock_holders(const FileInfo& lock_file, const std::set<uint32_t>& bytes, const FileInfo& spare);

// The process that has `byte` of the lock file locked exclusively, of those that this process may look at in /proc.
// Empty: none is seen; it may be in another pid namespace, or belong to another user.
std::optional<int32_t> lock_holder(const FileInfo& lock_file, uint32_t byte);
// Asks that process to end, by SIGTERM. For a command that says so; so root may end another user's process, too.
Result<std::optional<int32_t>> terminate_lock_holder(const FileInfo& lock_file, uint32_t byte);

}  // namespace pg
