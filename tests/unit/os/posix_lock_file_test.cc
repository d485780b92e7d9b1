#include "core/os/posix_lock_file.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/os/env.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("posix_lock_file: the kernel releases the lock of a process that is killed") {
  const TempDir directory;
  const std::string path = directory.path() + "/locks";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto mine = open_posix_lock(path, Access::read_write);
    const bool locked = mine && (*mine)->try_lock(0, LockMode::exclusive).value_or(false);
    if (write(ready[1], locked ? "y" : "n", 1) == 1) pause();
    _exit(1);
  }
  char answer = 0;
  REQUIRE(read(ready[0], &answer, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  CHECK(answer == 'y');
  const auto file = must(open_posix_lock(path, Access::read_write));
  CHECK_FALSE(must(file->try_lock(0, LockMode::exclusive)));
  Clock& clock = posix_env().clock;
  CHECK(code_of(file->lock(0, LockMode::exclusive, clock.after(70ms))) == Errc::timed_out);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  must(file->lock(0, LockMode::exclusive, clock.after(10s)));
}

TEST_CASE("posix_lock_file: a symbolic link is not followed") {
  const TempDir directory;
  REQUIRE(symlink("elsewhere", (directory.path() + "/link").c_str()) == 0);
  CHECK(code_of(open_posix_lock(directory.path() + "/link", Access::read_write)) == Errc::io);
}
