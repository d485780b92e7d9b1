// What open(2) has found where a file was expected. Only for use inside core/os.
#pragma once

#include <sys/stat.h>

#include "core/os/file_system.h"

namespace pg {

FileKind kind_of(mode_t mode);

// Checks an open descriptor. Anything else was opened without waiting (O_NONBLOCK), and the caller closes it.
Result<> check_is_file(int fd, const std::string& path);

bool is_directory(int fd);

// The error after a failed open: what kind of thing is there, if that is the reason; else errno.
tl::unexpected<Error> cannot_open(const char* verb, const std::string& path);

}  // namespace pg
