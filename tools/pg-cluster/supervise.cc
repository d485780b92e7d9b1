// pg-cluster supervise: what 'start' leaves in the background. It runs a broker as its child, starts it again when it
// dies, keeps what it says, and ends when it is asked to, after its broker.
#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/format/broker_locks.h"
#include "core/format/path_names.h"
#include "core/os/signals.h"
#include "core/os/this_program.h"
#include "tools/common/bounded_log.h"
#include "tools/pg-cluster/broker_watch.h"
#include "tools/pg-cluster/commands.h"
#include "tools/pg-cluster/restart_delay.h"

namespace pg {
namespace {

class Supervisor {
 public:
  // `lock` is its own, and held.
  Supervisor(const Home& home, BrokerId broker, LockFile& lock, BoundedLog& log)
      : env_(home.env()), home_(home.path()), broker_(broker), watch_(home, broker), lock_(lock), log_(log) {}

  // Until it is asked to stop, or starting the broker again makes no sense.
  Result<ExitCode> run();

 private:
  struct Life {
    ChildStatus end;
    Duration length{};
  };
  Result<Life> live_once();
  Result<> look_whether_it_works();
  Result<bool> is_in_place() const;
  void keep(const std::string& output);
  std::string describe(const Life& life) const;

  const Env& env_;
  std::string home_;
  BrokerId broker_;
  BrokerWatch watch_;
  LockFile& lock_;
  BoundedLog& log_;
  bool has_worked_ = false;
  std::string last_said_;
};

// 0: somebody else asked it to stop. 2: it cannot succeed as it was started.
bool is_worth_a_restart(const ChildStatus& end) {
  return end.signal != 0 || (end.exit_status != kExitDone && end.exit_status != kExitUsage);
}

ExitCode exit_code_of(const ChildStatus& end) {
  return end.signal != 0 ? kExitFailed : static_cast<ExitCode>(end.exit_status);
}

Result<ExitCode> Supervisor::run() {
  RestartDelay delay;
  for (;;) {
    const auto life = live_once();
    if (!has_worked_) PG_CHECK(life);
    log_.add_line(life ? describe(*life) : life.error().message());
    if (stop_signal() != 0) return kExitDone;
    PG_ASSIGN(const bool in_place, is_in_place());
    if (!in_place)
      return fail(Errc::io, fmt::format("the home is gone, and broker {} is not started again", broker_.value), home_);
    // 'pg-cluster start' still waits, and reports why the broker has never worked.
    if (life && (!has_worked_ || !is_worth_a_restart(life->end))) return exit_code_of(life->end);
    const Duration pause =
        life ? delay.after(life->length, life->end.signal == SIGKILL) : delay.after(Duration(0), false);
    log_.add_line(fmt::format("broker {} is started again in {} ms", broker_.value,
                              std::chrono::round<std::chrono::milliseconds>(pause).count()));
    PG_ASSIGN(const auto woken, InputStream(-1, "signals").wait(env_.clock.after(pause)));
    if (woken == InputStream::Ready::stopped) return kExitDone;
  }
}

Result<Supervisor::Life> Supervisor::live_once() {
  const Deadline began = env_.clock.now();
  last_said_.clear();
  PG_ASSIGN(auto child, ProgramChild::start(this_program(home_, "run-supervised", broker_)));
  log_.add_line(fmt::format("broker {} is process {}", broker_.value, child.pid()));
  for (;;) {
    PG_ASSIGN(const auto news, child.wait(has_worked_ ? kNoDeadline : env_.clock.after(kBrokerLookInterval)));
    keep(news.output);
    if (news.stop) child.terminate();
    if (news.ended) {
      log_.end_line();
      return Life{*news.ended, env_.clock.now() - began};
    }
    if (!has_worked_) PG_CHECK(look_whether_it_works());
  }
}

Result<> Supervisor::look_whether_it_works() {
  PG_ASSIGN(const bool ready, watch_.is_ready());
  if (!ready) return {};
  PG_ASSIGN(has_worked_, lock_.try_lock(supervisor_lock_byte::kHasWorked, LockMode::exclusive));
  return {};
}

// False: the home was removed, or another home is at its path, which has brokers of its own. If nothing is at the path,
// the disk may be mounted again.
Result<bool> Supervisor::is_in_place() const {
  PG_ASSIGN(const FileInfo ours, lock_.info());
  if (ours.links == 0) return false;
  const auto there = env_.files.info(lock_.path());
  return !there || (there->device == ours.device && there->inode == ours.inode);
}

void Supervisor::keep(const std::string& output) {
  log_.add(output);
  last_said_ += output;
  if (last_said_.size() > kBrokerLogLineBytesMax) last_said_.erase(0, last_said_.size() - kBrokerLogLineBytesMax);
}

std::string Supervisor::describe(const Life& life) const {
  const std::string end = life.end.signal != 0 ? "was " + life.end.text() : "ended with " + life.end.text();
  std::string_view said = last_said_;
  while (said.ends_with('\n')) said.remove_suffix(1);
  said.remove_prefix(said.rfind('\n') + 1);
  const bool has_reason = !life.end.succeeded() && !said.empty();
  return fmt::format("broker {} {}{}{}", broker_.value, end, has_reason ? ": " : "", has_reason ? said : "");
}

Result<ExitCode> supervise(const Home& home, BrokerId broker) {
  const Env& env = home.env();
  PG_CHECK(env.files.make_directories_in(names::topics_directory(home.path()), names::locks_directory(home.path())));
  PG_ASSIGN(const auto lock, env.files.open_lock(names::supervisor_lock(home.path(), broker), Access::read_write));
  PG_ASSIGN(const bool ours, lock->try_lock(supervisor_lock_byte::kRuns, LockMode::exclusive));
  if (!ours) return kExitBusy;  // two were started at once: 'start' waits for the other one
  BoundedLog log(env, names::broker_log(home.path(), broker), kBrokerLogBytesMax);
  const auto outcome = Supervisor(home, broker, *lock, log).run();
  if (outcome) return outcome;
  log.add_line(outcome.error().message());
  return exit_code(outcome.error());
}

}  // namespace

int cluster_supervise(const Arguments& arguments) {
  Tool tool("pg-cluster supervise");
  int64_t number = -1;
  OptionTable table("pg-cluster supervise", "", "Looks after broker N. For 'pg-cluster start' only.");
  table.count("--broker", 0, number, "which broker");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const BrokerId broker, known_broker(*home, number));
    catch_stop_signals();
    return supervise(*home, broker);
  });
}

}  // namespace pg
