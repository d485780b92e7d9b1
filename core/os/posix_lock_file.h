// LockFile on Linux: open-file-description locks, one byte each.
#pragma once

#include <memory>

#include "core/os/file_system.h"

namespace pg {

Result<std::unique_ptr<LockFile>> open_posix_lock(const std::string& path, Access access);

}  // namespace pg
