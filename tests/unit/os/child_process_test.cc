#include "core/os/child_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <set>

#include "core/os/posix_lock_file.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

struct Runner {
  ChildExit run(ChildCommand command) {
    must(children.start(1, command));
    return must(children.wait(kNoDeadline)).value();
  }
  // What the command says on standard output.
  std::string output_of(const std::string& command, const std::string& input = "", const LockFile* inherit = nullptr) {
    const std::string path = directory.path() + "/out";
    const auto exit = run({.shell_command = "{ " + command + "\n} >'" + path + "'",
                           .environment = {},
                           .input = input,
                           .inherit = inherit ? std::optional(inherit->descriptor()) : std::nullopt});
    CHECK(exit.status.text() == "exit status 0");
    return must(PosixFileSystem().read_all(path));
  }
  TempDir directory;
  ChildProcesses children;
};

}  // namespace

TEST_CASE("child_process: a command gets its input byte for byte, however long") {
  Runner runner;
  for (const size_t size : {0, 1, 4096, 65536, 65537, 3'000'000}) {
    CAPTURE(size);
    const std::string input = SeededRandom().bytes(size);
    CHECK(runner.output_of("cat", input) == input);
  }
}

TEST_CASE("child_process: a command need not read, nor all of it") {
  Runner runner;
  const std::string input(3'000'000, 'x');
  CHECK(runner.output_of("echo done", input) == "done\n");
  CHECK(runner.output_of("head -c 100000 | wc -c", input) == "100000\n");
  CHECK(runner.output_of("exec <&-; echo closed", input) == "closed\n");
}

TEST_CASE("child_process: how it ended") {
  Runner runner;
  struct Row {
    const char* command;
    bool succeeded;
    int shell_status;
    const char* text;
  };
  const Row rows[] = {
      {"true", true, 0, "exit status 0"},
      {"exit 3", false, 3, "exit status 3"},
      {"exit 255", false, 255, "exit status 255"},
      {"/nowhere/at/all 2>/dev/null", false, 127, "exit status 127"},
      {"kill -9 $$", false, 137, "killed by signal 9 (Killed)"},
      {"-c 2>/dev/null", false, 127, "exit status 127"},  // a command, not an option of sh
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    const auto exit = runner.run({.shell_command = row.command, .environment = {}, .input = ""});
    CHECK(exit.id == 1);
    CHECK(exit.status.succeeded() == row.succeeded);
    CHECK(exit.status.shell_status() == row.shell_status);
    CHECK(exit.status.text() == row.text);
  }
}

TEST_CASE("child_process: its environment is what it is given") {
  Runner runner;
  const std::string path = runner.directory.path() + "/out";
  runner.run({.shell_command = "printf %s \"$A|$B|${HOME-none}\" >'" + path + "'",
              .environment = {"A=1", "B=x y\n"},
              .input = ""});
  CHECK(must(PosixFileSystem().read_all(path)) == "1|x y\n|none");
}

TEST_CASE("child_process: what does not fit into an environment is the command's error, and others still run") {
  Runner runner;
  const Error error = error_of(runner.children.start(
      1, {.shell_command = "true", .environment = {"A=" + std::string(200'000, 'x')}, .input = "v"}));
  CHECK(error.sys_errno == E2BIG);
  CHECK(runner.children.running() == 0);
  CHECK(runner.output_of("cat", "v") == "v");
}

TEST_CASE("child_process: no descriptor beyond 2, but the lock that is to be inherited") {
  Runner runner;
  const int forgotten = dup(1);  // without O_CLOEXEC
  REQUIRE(forgotten > 2);
  const std::string path = runner.directory.path() + "/out";
  const auto lock = must(open_posix_lock(runner.directory.path() + "/lock", Access::read_write));
  // By builtins alone: a pipeline's shell holds the pipes for a moment. `exec`, for the shell keeps a copy of 1
  // otherwise.
  const std::string list = "exec >" + path +
                           "; for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
                           "if [ -e /proc/$$/fd/$fd ]; then echo $fd; fi; done; readlink /proc/$$/fd/3";
  runner.run({.shell_command = list, .environment = {}, .input = ""});
  CHECK(must(PosixFileSystem().read_all(path)) == "0\n1\n2\n");
  runner.run({.shell_command = list, .environment = {}, .input = "", .inherit = lock->descriptor()});
  CHECK(must(PosixFileSystem().read_all(path)) == "0\n1\n2\n3\n" + lock->path() + "\n");
  close(forgotten);
}

TEST_CASE("child_process: an inherited lock is held until the command has ended") {
  Runner runner;
  const std::string path = runner.directory.path() + "/lock";
  auto mine = must(open_posix_lock(path, Access::read_write));
  const auto other = must(open_posix_lock(path, Access::read_write));
  REQUIRE(must(mine->try_lock(5, LockMode::exclusive)));
  const std::string fifo = runner.directory.path() + "/fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  must(runner.children.start(
      1, {.shell_command = "read line <" + fifo, .environment = {}, .input = "", .inherit = mine->descriptor()}));
  mine.reset();
  CHECK_FALSE(must(other->try_lock(5, LockMode::exclusive)));
  const int writer = open(fifo.c_str(), O_WRONLY);
  close(writer);
  CHECK(must(runner.children.wait(kNoDeadline)).has_value());
  CHECK(must(other->try_lock(5, LockMode::exclusive)));
}

TEST_CASE("child_process: signals are as a program expects them") {
  Runner runner;
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  signal(SIGXFSZ, SIG_IGN);
  CHECK(runner.output_of("exec grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f 2 | sort -u") ==
        "0000000000000000\n");
  signal(SIGXFSZ, SIG_DFL);
  signal(SIGHUP, SIG_IGN);
  CHECK(runner.output_of("exec grep ^SigIgn /proc/self/status | cut -f 2") == "0000000000000001\n");  // nohup
  signal(SIGHUP, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("child_process: several at once, in any order, while all of them are fed") {
  Runner runner;
  std::set<uint64_t> ended;
  for (uint64_t id = 1; id <= 8; ++id) {
    must(runner.children.start(id, {.shell_command = "cat >/dev/null; exit " + std::to_string(id),
                                    .environment = {},
                                    .input = std::string(1'000'000, 'x')}));
  }
  CHECK(runner.children.running() == 8);
  while (runner.children.running() > 0) {
    const auto exit = must(runner.children.wait(kNoDeadline)).value();
    CHECK(exit.status.exit_status == static_cast<int>(exit.id));
    ended.insert(exit.id);
  }
  CHECK(ended.size() == 8);
}

TEST_CASE("child_process: a deadline ends the wait, and kill_all what runs with its offspring") {
  Runner runner;
  CHECK_FALSE(must(runner.children.wait(posix_env().clock.now())).has_value());
  const std::string fifo = runner.directory.path() + "/fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  must(runner.children.start(1, {.shell_command = "cat " + fifo + " & wait", .environment = {}, .input = ""}));
  CHECK_FALSE(must(runner.children.wait(posix_env().clock.after(1ms))).has_value());
  const int writer = open(fifo.c_str(), O_WRONLY);  // now the cat is there
  runner.children.kill_all();
  CHECK(must(runner.children.wait(kNoDeadline)).value().status.signal == SIGKILL);
  while (write(writer, "x", 1) == 1) {
  }
  CHECK(errno == EPIPE);
  close(writer);
}

TEST_CASE("child_process: standard error is passed on, and its end kept") {
  Runner runner;
  const std::string path = runner.directory.path() + "/errors";
  const int saved = dup(2);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  dup2(file, 2);
  const auto exit = runner.run(
      {.shell_command = "seq 100000 >&2; echo last words >&2", .environment = {}, .input = "", .keep_errors = true});
  const auto quiet =
      runner.run({.shell_command = "exec 2>&-; exit 1", .environment = {}, .input = "", .keep_errors = true});
  dup2(saved, 2);
  close(saved);
  close(file);
  const std::string passed = must(PosixFileSystem().read_all(path));
  CHECK(passed.starts_with("1\n2\n"));
  CHECK(passed.size() == 588'895 + 11);
  CHECK(exit.errors.size() == kKeptErrorBytes);
  CHECK(passed.ends_with(exit.errors));
  CHECK(quiet.errors.empty());
  CHECK(quiet.status.exit_status == 1);
}
