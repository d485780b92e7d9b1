// pg-cluster run: one broker, in the foreground.
#include <fmt/format.h>

#include "core/format/path_names.h"
#include "core/os/signals.h"
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

Result<std::unique_ptr<LockFile>> hold_broker_lock(const Home& home, BrokerId broker) {
  PG_CHECK(home.env().files.make_directories(names::locks_directory(home.path())));
  PG_ASSIGN(auto lock, home.env().files.open_lock(names::broker_lock(home.path(), broker), Access::read_write));
  PG_ASSIGN(const bool ours, lock->try_lock(0, LockMode::exclusive));
  if (!ours) return fail(Errc::busy, fmt::format("broker {} runs already: another process holds its lock", broker.value), lock->path());
  return lock;
}

}  // namespace

int cluster_run(const Arguments& arguments) {
  Tool tool("pg-cluster run");
  int64_t number = -1;
  OptionTable table("pg-cluster run", "", "Is broker N of the cluster until a signal ends it, in the foreground.");
  table.count("--broker", 0, number, "which broker (wanted)");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    if (number < 0) return fail(Errc::invalid_argument, "which broker is wanted: add --broker N");
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const BrokerId broker, known_broker(*home, number));
    catch_stop_signals();
    PG_ASSIGN(const auto lock, hold_broker_lock(*home, broker));
    tool.note(fmt::format("broker {} runs", broker.value));
    PG_CHECK(InputStream(-1, "signals").wait(kNoDeadline));
    return kExitDone;
  });
}

}  // namespace pg
