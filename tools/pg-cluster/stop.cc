// pg-cluster stop: asks the supervisors of brokers to end, and waits until they and their brokers have ended.
#include <fmt/format.h>

#include <limits>

#include "core/base/limits.h"
#include "tools/pg-cluster/broker_watch.h"
#include "tools/pg-cluster/commands.h"
#include "tools/pg-cluster/in_parallel.h"

namespace pg {
namespace {

// How long a process that ends may hold its locks although /proc shows its files no more.
constexpr Duration kEndingMax = std::chrono::seconds(1);

// One broker on its way out.
class BrokerStop {
 public:
  BrokerStop(const Tool& tool, const Home& home, BrokerId broker)
      : tool_(tool), env_(home.env()), watch_(home, broker) {}

  // Asks, if there is anybody to ask. Errors: it runs in the foreground, or cannot be reached.
  Result<> begin();
  // Waits until the broker and its supervisor have ended. Errors: timed_out.
  Result<ExitCode> finish(Deadline deadline);

 private:
  Result<> ask();
  Result<bool> is_ending(Result<bool> (BrokerWatch::*holds)() const) const;

  const Tool& tool_;
  const Env& env_;
  BrokerWatch watch_;
  std::optional<int32_t> asked_;
};

std::string process_text(std::optional<int32_t> pid) {
  return pid ? fmt::format("process {}", *pid) : "a process that cannot be seen from here";
}

Result<> BrokerStop::begin() {
  PG_ASSIGN(const bool supervised, watch_.is_supervised());
  if (supervised) return ask();
  PG_ASSIGN(const bool ends, watch_.ends_with_its_supervisor());
  if (ends) return {};
  PG_ASSIGN(const bool runs, watch_.runs());
  if (!runs) {
    tool_.note(fmt::format("broker {} does not run", watch_.number()));
    return {};
  }
  PG_ASSIGN(const auto pid, watch_.process());
  if (!pid) {
    PG_ASSIGN(const bool ending, is_ending(&BrokerWatch::runs));
    if (ending) return {};
  }
  return fail(Errc::io, fmt::format("broker {} runs in the foreground, as {}: stop it where it was started",
                                    watch_.number(), process_text(pid)));
}

Result<> BrokerStop::ask() {
  PG_ASSIGN(asked_, watch_.terminate_supervisor());
  if (asked_) return {};
  PG_ASSIGN(const bool ending, is_ending(&BrokerWatch::is_supervised));
  if (ending) return {};
  return fail(Errc::io, fmt::format("broker {} is looked after by {}: another user's, or in another container",
                                    watch_.number(), process_text({})));
}

// Whether a lock whose holder cannot be seen belongs to a process that ends. Nothing else tells it from a process of
// another user or in another container.
Result<bool> BrokerStop::is_ending(Result<bool> (BrokerWatch::*holds)() const) const {
  const Deadline deadline = env_.clock.after(kEndingMax);
  for (;;) {
    PG_ASSIGN(const bool held, (watch_.*holds)());
    if (!held) return true;
    if (env_.clock.now() >= deadline) return false;
    env_.clock.wait({}, kBrokerLookInterval);
  }
}

Result<ExitCode> BrokerStop::finish(Deadline deadline) {
  for (;;) {
    PG_ASSIGN(const bool supervised, watch_.is_supervised());
    PG_ASSIGN(const bool runs, watch_.runs());
    if (!supervised && !runs) return kExitDone;
    if (env_.clock.now() >= deadline) break;
    env_.clock.wait({}, kBrokerLookInterval);
  }
  PG_ASSIGN(const auto pid, watch_.process());
  return fail(Errc::timed_out, fmt::format("broker {} has not stopped yet: {} is the broker, {} looks after it",
                                           watch_.number(), process_text(pid), process_text(asked_)));
}

}  // namespace

int cluster_stop(const Arguments& arguments) {
  Tool tool("pg-cluster stop");
  bool all = false;
  OptionTable table("pg-cluster stop", "[N...]", "Stops the brokers N that run in the background.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.flag("--all", all, "all brokers of the cluster");
  tool.add_common_options(table, "", "how long to wait until they have stopped (default 30s)");
  return tool.run(table, arguments, [&](const auto& numbers) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto brokers, chosen_brokers(*home, numbers, all));
    return in_parallel<BrokerStop>(tool, *home, brokers);
  });
}

}  // namespace pg
