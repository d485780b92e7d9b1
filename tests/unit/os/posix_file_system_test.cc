#include "core/os/posix_file_system.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "core/os/unique_fd.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

TEST_CASE("posix_file_system: symbolic links are not followed in the last component, but in those before") {
  const TempDir directory;
  const std::string root = directory.path();
  PosixFileSystem files;
  must(files.make_directory(root + "/real"));
  overwrite(files, root + "/real/f", "x");
  REQUIRE(symlink("real", (root + "/link").c_str()) == 0);
  REQUIRE(symlink("f", (root + "/real/g").c_str()) == 0);
  CHECK(code_of(files.open(root + "/real/g", OpenMode::read)) == Errc::io);
  CHECK_FALSE(must(files.info(root + "/link")).is_directory);
  CHECK(must(files.read_all(root + "/link/f")) == "x");
  must(files.make_directories(root + "/link"));  // a home may be a link to a directory
  must(files.remove_tree(root + "/link"));       // the link goes, not what it points at
  CHECK(exists(files, root + "/real/f"));
}

TEST_CASE("posix_file_system: files are not inherited by child processes") {
  const TempDir directory;
  const auto file = must(PosixFileSystem().open(directory.path() + "/f", OpenMode::create));
  const auto lock = must(PosixFileSystem().open_lock(directory.path() + "/l", Access::read_write));
  int checked = 0;
  for (int fd = 3; fd < 100; ++fd) {
    char target[4096];
    const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
    if (length < 0 || !std::string_view(target, static_cast<size_t>(length)).starts_with(directory.path())) continue;
    ++checked;
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(checked == 2);
}

TEST_CASE("posix_file_system: what is not a file is named, and never waited for") {
  const TempDir directory;
  const std::string root = directory.path();
  PosixFileSystem files;
  REQUIRE(mkfifo((root + "/fifo").c_str(), 0600) == 0);
  REQUIRE(symlink("/etc/passwd", (root + "/link").c_str()) == 0);
  REQUIRE(symlink("nowhere", (root + "/dangling").c_str()) == 0);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{AF_UNIX, {}};
  root.copy(address.sun_path, sizeof address.sun_path - 8);
  std::strcat(address.sun_path, "/socket");
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(fd);
  const std::pair<std::string, const char*> rows[] = {
      {root + "/fifo", "is a FIFO, where a file was expected"},
      {root + "/link", "is a symbolic link, where a file was expected"},
      {root + "/dangling", "is a symbolic link, where a file was expected"},
      {root + "/socket", "is a socket, where a file was expected"},
      {"/dev/zero", "is a device, where a file was expected"}};
  for (const auto& [path, what] : rows) {
    CAPTURE(path);
    for (const OpenMode mode : {OpenMode::read, OpenMode::write, OpenMode::create}) {
      const Error error = error_of(files.open(path, mode));
      CHECK(error.what == what);
      CHECK(error.path == path);
      CHECK(error.code == Errc::io);
    }
    CHECK(error_of(files.open_lock(path, Access::read_only)).what == what);
    CHECK(error_of(files.open_lock(path, Access::read_write)).what == what);
    CHECK(error_of(files.read_all(path)).what == what);
  }
}

TEST_CASE("posix_file_system: only what is known to be local is") {
  CHECK(must(PosixFileSystem().remote_type("/proc")) == "proc");
  CHECK(must(PosixFileSystem().remote_type("/dev/shm")) == "");
}

TEST_CASE("unique_fd: errno to our codes") {
  const std::pair<int, Errc> rows[] = {{ENOENT, Errc::not_found},
                                       {EEXIST, Errc::already_exists},
                                       {ENOTEMPTY, Errc::already_exists},
                                       {ENOSPC, Errc::no_space},
                                       {EDQUOT, Errc::no_space},
                                       {EFBIG, Errc::no_space},
                                       {EMFILE, Errc::limit},
                                       {ENFILE, Errc::limit},
                                       {ENOLCK, Errc::limit},
                                       {EIO, Errc::io},
                                       {EACCES, Errc::io},
                                       {EROFS, Errc::io}};
  for (const auto& [sys_errno, code] : rows) {
    CAPTURE(sys_errno);
    CHECK(errc_of(sys_errno) == code);
    errno = sys_errno;
    const Error error = error_of(Result<>(sys_fail("do", "/x", 5)));
    CHECK(error.code == code);
    CHECK(error.what.starts_with("cannot do"));
    CHECK((error.what.find("limit") != std::string::npos) == (sys_errno == EMFILE || sys_errno == ENFILE));
    CHECK(error.position == 5);
    CHECK(error.sys_errno == sys_errno);
  }
}

TEST_CASE("unique_fd: closes once") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  {
    UniqueFd a(ends[0]);
    UniqueFd b = std::move(a);
    CHECK(a.get() == -1);
    UniqueFd c(ends[1]);
    c = std::move(b);
    CHECK(c.get() == ends[0]);
  }
  CHECK(fcntl(ends[0], F_GETFD) == -1);
  CHECK(fcntl(ends[1], F_GETFD) == -1);
}
