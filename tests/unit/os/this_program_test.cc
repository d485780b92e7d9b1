// The program is the unit tests themselves: it is started with options that let it print something and end.
#include "core/os/this_program.h"

#include <signal.h>
#include <unistd.h>

#include "core/os/posix_file_system.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

ProgramStart program(std::vector<std::string> options) {
  options.insert(options.begin(), "unit_tests");
  return {std::move(options), {"PATH=/usr/bin:/bin"}};
}

ChildStatus end_of(ProgramChild& child, std::string& output) {
  for (;;) {
    const auto news = must(child.wait(kNoDeadline));
    output += news.output;
    if (news.ended) return *news.ended;
  }
}

ChildStatus end_of(DetachedProgram& process) {
  for (;;) {
    if (const auto end = must(process.ended())) return *end;
    usleep(1000);
  }
}

}  // namespace

TEST_CASE("this_program: all that a child says is passed on, and how it ended") {
  auto child = must(ProgramChild::start(program({"--list-test-cases"})));
  std::string output;
  CHECK(end_of(child, output).text() == "exit status 0");
  CHECK(output.find("this_program: all that a child says is passed on") != std::string::npos);
  auto failing = must(ProgramChild::start(program({"--test-case=this_program: a test that fails", "--no-skip"})));
  CHECK(end_of(failing, output).text() == "exit status 1");
}

TEST_CASE("this_program: a test that fails" * doctest::skip()) { CHECK(false); }

TEST_CASE("this_program: a test that waits" * doctest::skip()) { pause(); }

TEST_CASE("this_program: a child can be asked to end, and dies with the object") {
  const auto waiting = program({"--test-case=this_program: a test that waits", "--no-skip"});
  auto child = must(ProgramChild::start(waiting));
  CHECK_FALSE(must(child.wait(Deadline::min())).ended);
  child.terminate();
  std::string output;
  CHECK_FALSE(end_of(child, output).succeeded());
  int32_t pid = 0;
  {
    const auto other = must(ProgramChild::start(waiting));
    pid = other.pid();
    CHECK(kill(pid, 0) == 0);
  }
  CHECK(kill(pid, 0) != 0);
}

TEST_CASE("this_program: a detached process has its output in a file, behind what is there") {
  TempDir directory;
  PosixFileSystem files;
  const std::string path = directory.path() + "/out";
  must(must(files.open(path, OpenMode::create))->write_at(0, as_bytes("before\n")));
  auto process = must(DetachedProgram::start(program({"--list-test-cases"}), path));
  CHECK(end_of(process).succeeded());
  CHECK(end_of(process).succeeded());
  const std::string text = must(files.read_all(path));
  CHECK(text.starts_with("before\n"));
  CHECK(text.find("this_program: a detached process") != std::string::npos);
  CHECK_FALSE(DetachedProgram::start(program({}), directory.path() + "/none/out"));
}

TEST_CASE("this_program: absolute names") {
  CHECK(must(absolute_path("/proc/../tmp/.")) == "/tmp");
  CHECK(must(absolute_path(".")).starts_with("/"));
  CHECK(absolute_path("/no/such/directory").error().code == Errc::not_found);
}
