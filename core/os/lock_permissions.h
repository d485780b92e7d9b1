// The permissions of a lock file: only users who can write to it can open it.
//
// The kernel gives shared locks to every process that can open a file for reading, and a shared lock keeps writers out.
// So users who cannot write to a lock file cannot read it either; their processes see in /proc/locks which locks are
// held (watched_lock.h).
#pragma once

#include <sys/types.h>

#include <string>

namespace pg {

// The mode for open(): what the umask leaves, but without read permission where it leaves no write permission.
mode_t mode_of_new_lock(const std::string& path);

// Takes read permission from users without write permission, also in an access control list: for files that an older
// version made, and for a directory with a default list. Only a file's owner and root can; for all others nothing
// happens.
void keep_readers_out(int fd);

}  // namespace pg
