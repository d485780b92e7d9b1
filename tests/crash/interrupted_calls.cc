#include "tests/crash/interrupted_calls.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace pg::crash {
namespace {

// One thread.
bool armed = false;
InterruptedCalls::Counts interrupted;
InterruptedCalls::Counts made;

bool is_interrupted(int64_t InterruptedCalls::Counts::*kind) {
  if (!armed || ++(made.*kind) % 2 == 0) return false;
  ++(interrupted.*kind);
  errno = EINTR;
  return true;
}

size_t half(size_t bytes) { return armed && bytes > 1 ? bytes / 2 : bytes; }

}  // namespace

InterruptedCalls::InterruptedCalls() {
  made = interrupted = {};
  armed = true;
}
InterruptedCalls::~InterruptedCalls() { armed = false; }
const InterruptedCalls::Counts& InterruptedCalls::counts() const { return interrupted; }

}  // namespace pg::crash

using Counts = pg::crash::InterruptedCalls::Counts;
using pg::crash::half;
using pg::crash::is_interrupted;

extern "C" {

int __real_open(const char* path, int flags, ...);
ssize_t __real_pread(int fd, void* into, size_t bytes, off_t position);
ssize_t __real_pwrite(int fd, const void* from, size_t bytes, off_t position);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_statfs(const char* path, struct statfs* into);

int __wrap_open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const unsigned mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : 0;
  va_end(more);
  return is_interrupted(&Counts::open) ? -1 : __real_open(path, flags, mode);
}
ssize_t __wrap_pread(int fd, void* into, size_t bytes, off_t position) {
  return is_interrupted(&Counts::pread) ? -1 : __real_pread(fd, into, half(bytes), position);
}
ssize_t __wrap_pwrite(int fd, const void* from, size_t bytes, off_t position) {
  return is_interrupted(&Counts::pwrite) ? -1 : __real_pwrite(fd, from, half(bytes), position);
}
int __wrap_ftruncate(int fd, off_t size) {
  return is_interrupted(&Counts::ftruncate) ? -1 : __real_ftruncate(fd, size);
}
int __wrap_fsync(int fd) { return is_interrupted(&Counts::fsync) ? -1 : __real_fsync(fd); }
int __wrap_fdatasync(int fd) { return is_interrupted(&Counts::fdatasync) ? -1 : __real_fdatasync(fd); }
int __wrap_statfs(const char* path, struct statfs* into) {
  return is_interrupted(&Counts::statfs) ? -1 : __real_statfs(path, into);
}

}  // extern "C"
