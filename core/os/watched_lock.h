// A lock file as it is seen by who may not open it: a process that may read a home and not write to it.
#pragma once

#include <memory>
#include <string>

#include "core/os/file_system.h"

namespace pg {

// Whether a byte is held is told by /proc/locks, and the file itself by its name. Shared locks are granted and hold nothing, since nobody
// can hold one that cannot keep a writer out: who has one must see by other means that what it reads has changed. Exclusive ones
// are refused.
Result<std::unique_ptr<LockFile>> watch_lock(const std::string& path);

}  // namespace pg
