// pg-bench scenarios: well-known benchmarks of such systems by their names, each a command with options.
#include <fmt/format.h>

#include <algorithm>

#include "tools/pg-bench/commands.h"

namespace pg {
namespace {

struct Scenario {
  const char* name;
  int (*run)(const Arguments& arguments);
  const char* command;
  Arguments options;
};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"leader-election", bench_failover, "failover", {}},
      {"send", bench_produce, "produce", {"--count", "1000000"}},
      {"send-parallel", bench_produce, "produce", {"--count", "1000000", "--processes", "4", "--partitions", "4"}},
      {"receive", bench_consume, "consume", {"--count", "1000000"}},
      {"receive-parallel", bench_consume, "consume", {"--count", "1000000", "--processes", "4", "--partitions", "4"}},
      {"processing", bench_latency, "latency", {"--duration", "5s"}},
      {"processing-parallel",
       bench_latency,
       "latency",
       {"--duration", "5s", "--processes", "4", "--readers", "4", "--partitions", "4"}},
  };
  return all;
}

std::string list_text() {
  std::string text;
  for (const auto& scenario : scenarios()) {
    text += fmt::format("{:<20} pg-bench {}", scenario.name, scenario.command);
    for (const auto& option : scenario.options) text += " " + option;
    text += "\n";
  }
  return text;
}

Result<const Scenario*> find_scenario(const std::string& name) {
  const auto found = std::ranges::find(scenarios(), name, &Scenario::name);
  if (found == scenarios().end())
    return fail(Errc::invalid_argument, fmt::format("there is no scenario '{}': --list prints them", name));
  return &*found;
}

}  // namespace

int bench_scenarios(const Arguments& arguments) {
  Tool tool("pg-bench scenarios");
  bool list = false;
  OptionTable table("pg-bench scenarios", "[NAME...]",
                    "Runs each scenario NAME, or all: commands of pg-bench with fixed options.");
  table.operands(0, scenarios().size());
  table.flag("--list", list, "print their names and what they stand for");
  tool.add_common_options(table, "print each result as a line of JSON");
  return tool.run(table, arguments, [&](const std::vector<std::string>& names) -> Result<ExitCode> {
    if (list) return tool.print(list_text()).map([] { return kExitDone; });
    std::vector<const Scenario*> chosen;
    for (const auto& name : names) {
      PG_ASSIGN(chosen.emplace_back(), find_scenario(name));
    }
    if (names.empty()) {
      for (const auto& scenario : scenarios()) chosen.push_back(&scenario);
    }
    for (const Scenario* scenario : chosen) {
      Arguments options = scenario->options;
      if (!tool.common().home.empty()) options.insert(options.end(), {"--home", tool.common().home});
      if (tool.common().json)
        options.push_back("--json");
      else
        PG_CHECK(tool.print(std::string(scenario->name) + ": "));
      if (const int status = scenario->run(options); status != kExitDone) return static_cast<ExitCode>(status);
    }
    return kExitDone;
  });
}

}  // namespace pg
