// What open(2) has found where a file was expected. Only for use inside core/os.
#pragma once

#include <sys/stat.h>

#include "core/os/file_system.h"

namespace pg {

FileKind kind_of(mode_t mode);

// Of an open descriptor: whatever else can be opened has been opened without waiting (O_NONBLOCK) and is let go again.
Result<> check_is_file(int fd, const std::string& path);

bool is_directory(int fd);

// After an open that failed: the kind of what stands there, where that is why; else errno.
tl::unexpected<Error> cannot_open(const char* verb, const std::string& path);

}  // namespace pg
