// The power goes between any two calls that change the disk, also in the middle of the recovery from such a cut.
//
// The workload runs once. Before each of its changes, or some of them, a disk is made as the cut may leave it, and
// another machine starts with that: it must find what was promised, and go on.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/crash/machine.h"
#include "tests/crash/workload.h"
#include "tests/support/old_pages.h"
#include "tests/support/printing.h"

namespace pg::crash {
namespace {

constexpr int kCutsInARow = 2;
constexpr int64_t kViolationsShown = 10;

class Cutter {
 public:
  explicit Cutter(SeededRandom& random) : random_(random) {}

  int64_t cuts() const { return cuts_; }

  // The power of `before` goes now, after `boot` restarts.
  void cut(const Machine& before, History history, int boot) {
    ++cuts_;
    Machine after(boot + 1, random_.next());
    before.power->leave(after.env.memory, random_);
    after.start();
    if (boot + 1 < kCutsInARow) cut_again_somewhere(after, history, boot + 1);
    Client client(after.shown(), after.home(), history);
    client.check(Loss::power);
    client.check_goes_on();
    client.check_no_leftovers();
  }

 private:
  void cut_again_somewhere(Machine& machine, const History& history, int boot) {
    const auto when = static_cast<int64_t>(random_.below(random_.one_in(2) ? 20 : 200));
    machine.power->before_change([this, &machine, &history, boot, when, calls = int64_t{0}]() mutable {
      if (calls++ == when) cut(machine, history, boot);
    });
  }

  SeededRandom& random_;
  int64_t cuts_ = 0;
};

// The file system of `before` stops now, and is mounted again in the same boot.
void stop_and_go_on(const Machine& before, const OldPages& pages, History history, SeededRandom& random) {
  Machine after(0, random.next());
  before.power->leave(after.env.memory, random);
  pages.put_back(after.env.memory, after.env.root(), random);
  after.start();
  Client client(after.shown(), after.home(), history);
  client.repair_all();
  client.check(Loss::power);
  client.check_goes_on();
}

struct Sampling {
  uint64_t one_in;
  int choices;
};

Sampling sampling() { return std::getenv("PG_LONG") != nullptr ? Sampling{1, 12} : Sampling{2, 1}; }

}  // namespace

TEST_CASE("crash: whatever the power cut leaves, what was flushed is there and nothing else than what was written") {
  SeededRandom random;
  Machine machine(0, random.next());
  machine.start();
  History history;
  Cutter cutter(random);
  int64_t change = 0, violations = 0;
  std::string step;
  machine.power->before_change([&] {
    ++change;
    for (int choice = 0; choice < sampling().choices; ++choice) {
      if (violations >= kViolationsShown || !random.one_in(sampling().one_in)) continue;
      try {
        cutter.cut(machine, history, 0);
      } catch (const std::exception& violation) {
        FAIL_CHECK(fmt::format("power cut before change {}, in '{}': {}", change, step, violation.what()));
        ++violations;
      }
    }
  });
  Client client(machine.shown(), machine.home(), history);
  for (const Step& next : workload()) {
    step = next.name;
    need(step, next.run(client));
  }
  client.check(Loss::none);
  MESSAGE(fmt::format("{} changes, {} power cuts", change, cutter.cuts()));
}

TEST_CASE("crash: the file system stops, the machine goes on, and state pages are older than their logs") {
  SeededRandom random;
  Machine machine(0, random.next());
  machine.start();
  History history;
  OldPages pages;
  int64_t change = 0, stops = 0, violations = 0;
  std::string step;
  machine.power->before_change([&] {
    ++change;
    pages.note(machine.env.memory, machine.env.root());
    for (int choice = 0; choice < sampling().choices; ++choice) {
      if (violations >= kViolationsShown || !random.one_in(2 * sampling().one_in)) continue;
      try {
        ++stops;
        stop_and_go_on(machine, pages, history, random);
      } catch (const std::exception& violation) {
        FAIL_CHECK(fmt::format("stopped before change {}, in '{}': {}", change, step, violation.what()));
        ++violations;
      }
    }
  });
  Client client(machine.shown(), machine.home(), history);
  for (const Step& next : workload()) {
    step = next.name;
    need(step, next.run(client));
  }
  MESSAGE(fmt::format("{} changes, {} stops", change, stops));
}

}  // namespace pg::crash
