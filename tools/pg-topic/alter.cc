// pg-topic alter: changes a topic that exists.
#include <fmt/format.h>

#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {

int topic_alter(const Arguments& arguments) {
  Tool tool("pg-topic alter");
  int64_t partitions = -1;
  bool accept_key_move = false, internal = false, help_configs = false;
  TopicChange change;
  OptionTable table("pg-topic alter", "TOPIC", "Changes the configs of TOPIC, or gives it more partitions.");
  table.operands(1, 1);
  table.option(
      "-c,--config", "NAME=VALUE", [&](const std::string& value) { return add_config(change.set, value); },
      "set a topic config (repeatable)");
  table.may_repeat();
  table.option(
      "--unset", "NAME",
      [&](const std::string& value) {
        change.unset.push_back(value);
        return check_config_name(value);
      },
      "give a topic config its default again (repeatable)");
  table.may_repeat();
  table.count("--partitions", 1, partitions, "how many partitions there are to be");
  table.flag("--accept-key-move", accept_key_move, "with --partitions: keys may get into another partition");
  table.flag("--internal", internal, kInternalHelp);
  table.printing_flag("--help-configs", help_configs, kConfigHelp);
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    if (help_configs) return print_config_help(tool);
    const std::string& name = operands[0];
    if (partitions > kPartitionsMax)
      return fail(Errc::invalid_argument, fmt::format("--partitions: at most {}", kPartitionsMax));
    if (partitions < 0 && change.set.empty() && change.unset.empty()) {
      return fail(Errc::invalid_argument, "say with -c, --unset or --partitions what to change");
    }
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto before, home->describe_topic(name));
    PG_CHECK(check_internal(name, internal));
    if (partitions >= 0) change.partitions = static_cast<int32_t>(partitions);
    if (std::cmp_greater(partitions, before.partitions.size()) && !accept_key_move) {
      return fail(Errc::invalid_argument,
                  "records of one key would go to another partition than before, and be read in "
                  "no order with the older ones: add --accept-key-move if that is no harm");
    }
    PG_ASSIGN(const auto after, home->alter_topic(name, change, tool.deadline()));
    tool.detail(after.version == before.version ? fmt::format("'{}' is like that already", name)
                                                : fmt::format("changed '{}'", name));
    return kExitDone;
  });
}

}  // namespace pg
