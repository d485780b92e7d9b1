#include "core/os/posix_open.h"

#include "core/os/unique_fd.h"

namespace pg {

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::file;
  if (S_ISDIR(mode)) return FileKind::directory;
  if (S_ISLNK(mode)) return FileKind::symbolic_link;
  if (S_ISFIFO(mode)) return FileKind::fifo;
  return S_ISSOCK(mode) ? FileKind::socket : FileKind::device;
}

Result<> check_is_file(int fd, const std::string& path) {
  struct stat st;
  if (fstat(fd, &st) != 0) return sys_fail("stat", path);
  if (S_ISREG(st.st_mode)) return {};
  return tl::unexpected(wrong_kind(kind_of(st.st_mode), FileKind::file, path));
}

bool is_directory(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

tl::unexpected<Error> cannot_open(const char* verb, const std::string& path) {
  const int error = errno;
  struct stat st;
  // A symbolic link, a socket or a device without a driver. For a directory, errno is clear enough.
  const bool by_kind = error == ELOOP || error == ENXIO;
  if (by_kind && lstat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode))
    return tl::unexpected(wrong_kind(kind_of(st.st_mode), FileKind::file, path));
  errno = error;
  return sys_fail(verb, path);
}

}  // namespace pg
