#include "core/os/process.h"

#include "core/os/child_process.h"
#include "core/os/posix_lock_file.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;

namespace {

// Commands that run until they are killed, each with locks that only it holds.
struct Holders {
  void start(const std::string& name, std::initializer_list<uint32_t> bytes) {
    const auto file = must(open_posix_lock(path(name), Access::read_write));
    for (const uint32_t byte : bytes) REQUIRE(must(file->try_lock(byte, LockMode::exclusive)));
    must(children.start(++started, {.shell_command = "exec sleep 1000", .environment = {"PATH=/usr/bin:/bin"}, .input = "", .inherit = file.get()}));
  }
  std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  FileInfo info(const std::string& name) const { return must(must(open_posix_lock(path(name), Access::read_write))->info()); }

  TempDir directory;
  ChildProcesses children;
  uint64_t started = 0;
};

}  // namespace

TEST_CASE("process: who holds one of the bytes is killed, and nobody else") {
  Holders holders;
  holders.start("a", {0, 1, 2, 3});  // the kernel shows them as one
  holders.start("a", {7});
  holders.start("b", {3});
  CHECK(kill_lock_holders(holders.info("a"), {9}, holders.info("spare")).seen == 0);
  const auto found = kill_lock_holders(holders.info("a"), {3, 9}, holders.info("spare"));
  CHECK(found.seen == 1);
  CHECK(found.killed == 1);
  const auto exit = must(holders.children.wait(kNoDeadline));
  REQUIRE(exit);
  CHECK(exit->id == 1);
  CHECK(exit->status.signal == 9);
  CHECK(must(must(open_posix_lock(holders.path("a"), Access::read_write))->try_lock(3, LockMode::exclusive)));
  CHECK(must(must(open_posix_lock(holders.path("b"), Access::read_write))->is_held(3)));
}

TEST_CASE("process: a process is killed only if it is still the one that was described") {
  const ProcessIdentity self = this_process_identity();
  CHECK(self.start_time > 0);
  CHECK_FALSE(kill_process(self));
  CHECK_FALSE(kill_process({{1, self.pid_namespace}, self.start_time}));
  CHECK_FALSE(kill_process({{0, self.pid_namespace}, self.start_time}));
}

TEST_CASE("process: who holds a byte of a lock file is found, and asked to end") {
  Holders holders;
  holders.start("a", {0, 1, 2});
  holders.start("a", {7});
  holders.start("b", {3});
  CHECK_FALSE(lock_holder(holders.info("a"), 3));
  CHECK_FALSE(must(terminate_lock_holder(holders.info("a"), 3)));
  const auto seen = lock_holder(holders.info("a"), 7);
  REQUIRE(seen);
  CHECK(must(terminate_lock_holder(holders.info("a"), 7)) == seen);
  const auto exit = must(holders.children.wait(kNoDeadline));
  REQUIRE(exit);
  CHECK(exit->id == 2);
  CHECK(exit->status.signal == 15);
  CHECK_FALSE(lock_holder(holders.info("a"), 7));
  CHECK(lock_holder(holders.info("a"), 2));
  CHECK(lock_holder(holders.info("b"), 3));
}
