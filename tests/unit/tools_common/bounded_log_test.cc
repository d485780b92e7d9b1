#include "tools/common/bounded_log.h"

#include "core/base/limits.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

constexpr const char* kTime = "2023-11-14T22:13:20.000Z ";  // of the test's clock

struct Log {
  explicit Log(int64_t bytes_max = 1000) : log(machine.env(), path, bytes_max) {}
  std::string text(const std::string& suffix = "") { return must(machine.env().files.read_all(path + suffix)); }

  TestEnv machine;
  std::string path = machine.root() + "/log";
  BoundedLog log;
};

std::string line(const std::string& text) { return kTime + text + "\n"; }

}  // namespace

TEST_CASE("bounded_log: text that comes in pieces becomes lines with their times") {
  Log log;
  log.log.add("one\ntw");
  CHECK(log.text() == line("one"));
  log.log.add("o\n\nthree");
  CHECK(log.text() == line("one") + line("two") + line(""));
  log.log.end_line();
  log.log.end_line();
  log.log.add_line("four");
  CHECK(log.text() == line("one") + line("two") + line("") + line("three") + line("four"));
}

TEST_CASE("bounded_log: a line that never ends is cut") {
  Log log(100'000);
  log.log.add(std::string(kBrokerLogLineBytesMax + 1, 'x') + "\n");
  CHECK(log.text() == line(std::string(kBrokerLogLineBytesMax, 'x')) + line("x"));
}

TEST_CASE("bounded_log: when it is full it becomes the older one, of which there is one") {
  const std::string ten(10, 'x');
  const auto bytes = static_cast<int64_t>(line(ten).size());
  Log log(3 * bytes);
  for (int i = 0; i < 3; ++i) log.log.add_line(ten);
  CHECK_FALSE(must(log.machine.env().files.exists(log.path + ".1")));
  log.log.add_line("after");
  CHECK(log.text() == line("after"));
  CHECK(log.text(".1") == line(ten) + line(ten) + line(ten));
  for (int i = 0; i < 3; ++i) log.log.add_line(ten);
  CHECK(log.text() == line(ten));
  CHECK(log.text(".1") == line("after") + line(ten) + line(ten));
}

TEST_CASE("bounded_log: a line that is larger than the whole log is written all the same") {
  Log log(10);
  log.log.add_line("first");
  log.log.add_line("second");
  CHECK(log.text() == line("second"));
  CHECK(log.text(".1") == line("first"));
}

TEST_CASE("bounded_log: it goes on behind what is there, and behind what others append") {
  Log log;
  log.log.add_line("one");
  BoundedLog other(log.machine.env(), log.path, 1000);
  other.add_line("two");
  log.log.add_line("three");
  CHECK(log.text() == line("one") + line("two") + line("three"));
}

TEST_CASE("bounded_log: a log that somebody deletes is begun anew") {
  Log log;
  log.log.add_line("one");
  must(log.machine.env().files.unlink(log.path));
  log.log.add_line("two");
  CHECK(log.text() == line("two"));
}

TEST_CASE("bounded_log: what cannot be written is dropped, and the next line is tried again") {
  for (const Call call : {Call::open, Call::write, Call::file_info, Call::rename}) {
    CAPTURE(static_cast<int>(call));
    Log log(100);
    log.log.add_line("0123456789012345678901234567890123456789");
    log.machine.files.arm({.kind = call, .nth = 1, .sys_errno = ENOSPC, .prefix_bytes = 0});
    log.log.add_line("0123456789012345678901234567890123456789");
    log.log.add_line("last");
    CHECK(log.text().ends_with(line("last")));
  }
}
