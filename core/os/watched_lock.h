// A lock file for a process that cannot open it, because it can read the home but not write to it.
#pragma once

#include <memory>
#include <string>

#include "core/os/file_system.h"

namespace pg {

// /proc/locks tells whether a byte is held, and the file's name whether it was replaced. Shared locks are granted and
// hold nothing, since a real one would keep writers out: their holder must notice by other means that what it reads has
// changed. Exclusive locks are refused.
Result<std::unique_ptr<LockFile>> watch_lock(const std::string& path);

}  // namespace pg
