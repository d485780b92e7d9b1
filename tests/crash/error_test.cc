// Any one call fails, once: what it was for fails or does not, and is done when it is tried again. Then the same
// process goes on, another one, and a machine that starts with what a power cut leaves; each finds what was promised.
#include <fmt/format.h>

#include <cstdlib>

#include "core/format/path_names.h"
#include "tests/crash/machine.h"
#include "tests/crash/workload.h"
#include "tests/support/printing.h"

namespace pg::crash {
namespace {

struct Fault {
  const char* name;
  FaultPlan plan;
};

const Fault kFaults[] = {
    {"I/O error", {.sys_errno = EIO}},
    {"disk full", {.sys_errno = ENOSPC}},
    {"too many open files", {.sys_errno = EMFILE}},
    {"no locks available", {.sys_errno = ENOLCK}},
    {"short write", {.kind = Call::write, .sys_errno = ENOSPC, .prefix_bytes = 30}},
    {"failed sync", {.kind = Call::sync, .sys_errno = EIO}},
    {"failed sync of a directory", {.kind = Call::sync_directory, .sys_errno = EIO}},
};

class Run {
 public:
  explicit Run(SeededRandom& random) : random_(random), machine_(0, random.next()) { machine_.start(); }

  // False: the fault did not come about.
  bool with(const FaultPlan& plan) {
    machine_.env.files.arm(plan);
    run_steps(plan);
    machine_.env.files.disarm();
    client_.check(Loss::none);
    client_.check_goes_on();
    check_other_process();
    check_power_cut();
    return machine_.env.files.fired() > 0;
  }

  const std::string& failed_step() const { return failed_step_; }
  std::string failed_path() const { return machine_.env.files.fired_path(); }

 private:
  void run_steps(const FaultPlan& plan) {
    for (const Step& step : workload()) {
      const bool fired_before = machine_.env.files.fired() > 0;
      const auto done = step.run(client_);
      if (!fired_before && machine_.env.files.fired() > 0) {
        failed_step_ = step.name;
        check_offline(plan);
      }
      if (done) continue;
      if (machine_.env.files.fired() == 0) need(step.name, done);
      const auto again = step.run(client_);
      if (!again && client_.offline().empty()) need(step.name + " at the second attempt", again);
    }
  }

  // Whose flush failed takes no more, and that was said with the file's name.
  void check_offline(const FaultPlan& plan) {
    const bool is_log = names::parse_log(names::last_component(failed_path())).has_value();
    // What fails on a file without records is the making of a segment.
    const bool has_records = machine_.env.files.fired_bytes() > 0;
    if (plan.kind != Call::sync || !is_log || !has_records || failed_step_ == "damage") return;
    if (client_.offline().empty()) throw Violation("a flush failed, and the partition is not offline");
    if (machine_.env.notices().find(failed_path()) == std::string::npos) throw Violation("the file was not named");
  }

  void check_other_process() {
    Client other(machine_.shown(), machine_.home(), history_);
    other.check(Loss::none);
    other.check_goes_on();
    if (random_.one_in(2)) return;
    client_.close();
    other.close();
    for (const auto& [topic, partition] : other.offline()) need("repair " + topic, other.repair(topic, partition));
    other.check(Loss::none);
    other.check_goes_on();
    if (!other.offline().empty()) throw Violation("a repaired partition is offline");
  }

  void check_power_cut() {
    Machine after(1, random_.next());
    machine_.power->leave(after.env.memory, random_);
    after.start();
    Client client(after.shown(), after.home(), history_);
    client.check(Loss::power);
    client.check_goes_on();
    client.check_no_leftovers();
  }

  SeededRandom& random_;
  Machine machine_;
  History history_;
  Client client_{machine_.shown(), machine_.home(), history_};
  std::string failed_step_;
};

// The number of the call that fails next.
int64_t next_call(int64_t n, const FaultPlan& plan, SeededRandom& random) {
  if (std::getenv("PG_LONG") != nullptr) return n + 1;
  return n + 1 + static_cast<int64_t>(random.below(plan.kind ? 20 : 400));
}

}  // namespace

TEST_CASE("error: whatever call fails, nothing is lost, and what is tried again is done") {
  constexpr int kViolationsShown = 10;
  SeededRandom random;
  int violations = 0;
  for (const Fault& fault : kFaults) {
    int64_t runs = 0;
    bool fired = true;
    for (int64_t n = next_call(0, fault.plan, random); fired && violations < kViolationsShown;
         n = next_call(n, fault.plan, random), ++runs) {
      Run run(random);
      try {
        FaultPlan plan = fault.plan;
        plan.nth = n;
        fired = run.with(plan);
      } catch (const std::exception& violation) {
        FAIL_CHECK(fmt::format("{} at call {}, in '{}' ({}): {}", fault.name, n, run.failed_step(), run.failed_path(),
                               violation.what()));
        ++violations;
      }
    }
    MESSAGE(fmt::format("{}: {} runs", fault.name, runs));
  }
}

}  // namespace pg::crash
