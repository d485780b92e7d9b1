// The machine as core sees it: given to every class that needs it, so that tests can replace any part.
#pragma once

#include <functional>
#include <string>

#include "core/os/clock.h"
#include "core/os/file_system.h"
#include "core/os/mounts.h"
#include "core/os/process.h"

namespace pg {

struct Env {
  FileSystem& files;
  Clock& clock;
  Random& random;
  // This boot of this machine; a page that says another boot is worthless. Refused where it cannot be read.
  std::function<Result<Uuid>()> boot_id;
  std::function<ProcessInfo()> process;
  // Called with one line for people when something was repaired or is odd; may be called from any thread.
  std::function<void(const std::string&)> notice = [](const std::string&) {};
  // See process.h.
  std::function<ProcessIdentity()> process_identity = [] { return ProcessIdentity(); };
  std::function<bool(const ProcessIdentity&, const FileInfo& lock_file, uint32_t byte)> kill_lock_holder =
      [](const ProcessIdentity&, const FileInfo&, uint32_t) { return false; };
  std::function<std::optional<int32_t>(const FileInfo& lock_file, uint32_t byte)> lock_holder =
      [](const FileInfo&, uint32_t) { return std::nullopt; };
  std::function<LockHolders(const FileInfo& lock_file, const std::set<uint32_t>& bytes, const FileInfo& spare)>
      kill_lock_holders = [](const FileInfo&, const std::set<uint32_t>&, const FileInfo&) { return LockHolders(); };
  // Whether boot_id is the kernel's, and not one that a container was given; see boot.h.
  std::function<bool()> has_kernels_boot_id = [] { return true; };
  Mounts mounts = {};
};

// The real machine.
Env posix_env();

}  // namespace pg
