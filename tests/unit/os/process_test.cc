#include "core/os/process.h"

#include <fmt/format.h>

#include <fstream>

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
    must(children.start(++started, {.shell_command = "exec sleep 1000",
                                    .environment = {"PATH=/usr/bin:/bin"},
                                    .input = "",
                                    .inherit = file->descriptor()}));
  }
  std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  FileInfo info(const std::string& name) const {
    return must(must(open_posix_lock(path(name), Access::read_write))->info());
  }

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
  Holders holders;
  const auto file = must(open_posix_lock(holders.path("a"), Access::read_write));
  REQUIRE(must(file->try_lock(3, LockMode::exclusive)));
  const FileInfo lock = must(file->info());
  for (const int32_t pid : {self.pid, 1, 0, -1})
    CHECK_FALSE(kill_lock_holder({{pid, self.pid_namespace}, self.start_time}, lock, 3));
}

TEST_CASE("process: a process is killed only while it holds exclusively what it is killed for") {
  Holders holders;
  holders.start("a", {3});
  holders.start("b", {7});
  const int32_t pid = lock_holder(holders.info("a"), 3).value_or(0);
  ProcessIdentity process{this_process(), 0};
  process.pid = pid;
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text;
  for (int field = 1; field <= 22; ++field) stat >> text;  // its name is "sleep"
  CHECK_FALSE(kill_lock_holder(process, holders.info("a"), 3));
  process.start_time = std::stoull(text);
  CHECK_FALSE(kill_lock_holder(process, holders.info("a"), 4));
  CHECK_FALSE(kill_lock_holder(process, holders.info("b"), 3));
  CHECK(kill_lock_holder(process, holders.info("a"), 3));
  CHECK(must(holders.children.wait(kNoDeadline))->id == 1);
  // A shared lock does not make its holder the writer.
  const auto shared = must(open_posix_lock(holders.path("b"), Access::read_only));
  REQUIRE(must(shared->try_lock(1, LockMode::shared)));
  CHECK_FALSE(lock_holder(holders.info("b"), 1));
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
