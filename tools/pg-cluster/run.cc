// pg-cluster run: one broker, in the foreground.
#include <fmt/format.h>

#include "core/local/cluster_admin.h"
#include "core/os/signals.h"
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

int run(const Arguments& arguments, Supervised supervised) {
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
    const auto tell = [&](const std::string& line) { tool.note(fmt::format("broker {}: {}", broker.value, line)); };
    PG_CHECK(run_broker(*home, broker, supervised, tell, [] { return stop_signal() != 0; }));
    return kExitDone;
  });
}

}  // namespace

int cluster_run(const Arguments& arguments) { return run(arguments, Supervised::no); }

int cluster_run_supervised(const Arguments& arguments) { return run(arguments, Supervised::yes); }

}  // namespace pg
