// Who may open a lock file: who may write to it, and nobody else.
//
// To whoever can open a file for reading the kernel gives shared locks on it, which keep writers out. So a lock file cannot be read by
// those who cannot write to it; they see who holds a lock in /proc/locks (watched_lock.h).
#pragma once

#include <sys/types.h>

#include <string>

namespace pg {

// For open(). Of what the umask leaves, reading goes with writing.
mode_t mode_of_new_lock(const std::string& path);

// Takes reading from those who may not write, also in an access control list: files of before, and those of a directory that has a
// default list. Only a file's owner and root can; for all others nothing happens.
void keep_readers_out(int fd);

}  // namespace pg
