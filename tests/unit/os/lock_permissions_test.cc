#include "core/os/lock_permissions.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/os/posix_lock_file.h"
#include "core/os/watched_lock.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

struct Files {
  std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  std::unique_ptr<LockFile> open(const std::string& name) const {
    return must(open_posix_lock(path(name), Access::read_write));
  }
  mode_t mode(const std::string& name) const {
    struct stat st;
    REQUIRE(stat(path(name).c_str(), &st) == 0);
    return st.st_mode & 0777;
  }

  TempDir directory;
};

struct Umask {
  explicit Umask(mode_t mask) : before(umask(mask)) {}
  ~Umask() { umask(before); }
  mode_t before;
};

Deadline in(Duration d) { return std::chrono::steady_clock::now() + d; }

}  // namespace

TEST_CASE("lock permissions: a user who cannot write cannot read") {
  const std::pair<mode_t, mode_t> rows[] = {{0, 0666},   {002, 0660}, {022, 0600}, {027, 0600},
                                            {007, 0660}, {077, 0600}, {020, 0606}};
  for (const auto& [mask, mode] : rows) {
    CAPTURE(mask);
    const Umask umask(mask);
    Files files;
    files.open("a");
    CHECK(files.mode("a") == mode);
  }
}

TEST_CASE("lock permissions: a writer corrects the permissions of an older lock file") {
  const std::pair<mode_t, mode_t> rows[] = {{0644, 0600}, {0664, 0660}, {0666, 0666}, {0640, 0600}, {0600, 0600}};
  for (const auto& [before, after] : rows) {
    CAPTURE(before);
    Files files;
    files.open("a");
    REQUIRE(chmod(files.path("a").c_str(), before) == 0);
    must(open_posix_lock(files.path("a"), Access::read_only));
    CHECK(files.mode("a") == before);
    files.open("a");
    CHECK(files.mode("a") == after);
  }
}

TEST_CASE("watched lock: says which bytes are held exclusively, and holds nothing") {
  Files files;
  const auto writer = files.open("a"), other = files.open("b");
  const auto watched = must(watch_lock(files.path("a")));
  CHECK_FALSE(must(watched->is_held(3)));
  REQUIRE(must(writer->try_lock(2, LockMode::exclusive)));
  REQUIRE(must(writer->try_lock(3, LockMode::exclusive)));  // the kernel joins the two
  REQUIRE(must(writer->try_lock(9, LockMode::shared)));
  REQUIRE(must(other->try_lock(5, LockMode::exclusive)));
  CHECK(must(watched->is_held(2)));
  CHECK(must(watched->is_held(3)));
  for (const uint32_t byte : {0u, 1u, 4u, 5u, 9u}) CHECK_FALSE(must(watched->is_held(byte)));
  CHECK_FALSE(must(files.open("a")->is_held(9)));  // as any other handle says

  must(watched->lock(0, LockMode::shared, in(0s)));
  CHECK(must(writer->try_lock(0, LockMode::exclusive)));
  CHECK(code_of(watched->lock(0, LockMode::exclusive, in(0s))) == Errc::io);

  CHECK(must(watched->info()).inode == must(writer->info()).inode);
  CHECK(must(watched->info()).links == 1);
  REQUIRE(rename(files.path("b").c_str(), files.path("a").c_str()) == 0);
  CHECK(must(watched->info()).links == 0);
  CHECK(code_of(watch_lock(files.path("none"))) == Errc::not_found);
}

TEST_CASE("lock file: a time-out holds though the signal for it is blocked, and without timers") {
  Files files;
  const auto holder = files.open("a"), waiter = files.open("a");
  REQUIRE(must(holder->try_lock(0, LockMode::exclusive)));
  sigset_t all, before, after;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  CHECK(code_of(waiter->lock(0, LockMode::exclusive, in(120ms))) == Errc::timed_out);
  pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(sigismember(&after, SIGRTMAX - 1) == 1);

  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
  const rlimit none{0, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
  CHECK(code_of(waiter->lock(0, LockMode::exclusive, in(120ms))) == Errc::timed_out);
  holder->unlock(0);
  must(waiter->lock(0, LockMode::exclusive, in(10s)));
  setrlimit(RLIMIT_SIGPENDING, &limit);
}
