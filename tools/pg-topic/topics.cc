// pg-topic create, list, delete.
#include <fmt/format.h>

#include <limits>

#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {

Result<ExitCode> print_config_help(const Tool& tool) {
  std::string out;
  for (auto [name, values, default_value, text] : describe_topic_configs()) {
    std::erase_if(text, [](char c) { return c == '*' || c == '_'; });  // the markup of the man page
    out += fmt::format("{}\n  {}\n  Values: {}. Default: {}.\n", name, text, values, default_value);
  }
  return tool.print(out).map([] { return kExitDone; });
}

int topic_create(const Arguments& arguments) {
  Tool tool("pg-topic create");
  int64_t partitions = 1, replication_factor = 0;
  bool if_not_exists = false, dry_run = false, help_configs = false;
  ConfigMap config;
  OptionTable table("pg-topic create", "TOPIC", "Makes TOPIC.");
  table.operands(1, 1);
  table.count("--partitions", 1, partitions, "how many partitions (default 1)");
  table.count("--replication-factor", 1, replication_factor,
              "copies of each partition, on as many brokers\n(default: 3, or as many as there are brokers)");
  table.option(
      "-c,--config", "NAME=VALUE", [&](const std::string& value) { return add_config(config, value); },
      "set a topic config (repeatable)");
  table.may_repeat();
  table.flag("--if-not-exists", if_not_exists, "an existing topic is no error; it is not changed");
  table.flag("--dry-run", dry_run, "only check and say what would be done");
  table.printing_flag("--help-configs", help_configs, kConfigHelp);
  tool.add_common_options(table, "");
  table.hint("-p", "the number of partitions is --partitions N");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    if (help_configs) return print_config_help(tool);
    const std::string& name = operands[0];
    const auto copies = replication_factor == 0
                            ? std::nullopt
                            : std::optional(static_cast<int32_t>(std::min<int64_t>(replication_factor, INT32_MAX)));
    if (partitions > kPartitionsMax)
      return fail(Errc::invalid_argument, fmt::format("--partitions: at most {}", kPartitionsMax));
    PG_ASSIGN(const auto home, tool.open_home_to_write());
    const auto existing = home->describe_topic(name);
    if (existing && if_not_exists) return kExitDone;
    if (existing) return fail(Errc::already_exists, fmt::format("topic '{}' exists already", name));
    if (existing.error().code != Errc::not_found) return tl::unexpected(existing.error());
    if (dry_run) {
      if (copies) PG_CHECK(home->check_replication_factor(*copies));
      return tool.print(fmt::format("would create '{}' with {} partitions\n", name, partitions)).map([] {
        return kExitDone;
      });
    }
    const auto made = home->create_topic(name, static_cast<int32_t>(partitions), config, tool.deadline(), copies);
    if (!made && made.error().code == Errc::already_exists && if_not_exists) return kExitDone;
    PG_CHECK(made);
    tool.detail(fmt::format("created '{}' with {} partitions", name, partitions));
    return kExitDone;
  });
}

int topic_list(const Arguments& arguments) {
  Tool tool("pg-topic list");
  bool internal = false;
  OptionTable table("pg-topic list", "", "Prints the names of the topics, one per line.");
  table.flag("--internal", internal, "internal topics too (their names begin with '_')");
  tool.add_common_options(table, "print a line of JSON per topic");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    Faults faults(tool);
    PG_ASSIGN(const auto names, home->list_topics([&](const Error& error) { faults.add(error); }));
    std::string out;
    for (const auto& name : names) {
      if (name.starts_with('_') && !internal) continue;
      out += tool.common().json ? fmt::format("{{\"topic\":\"{}\"}}\n", name) : name + "\n";
    }
    return tool.print(out).map([&] { return faults.outcome(); });
  });
}

namespace {

// Before anything is deleted: a missing topic is the first error, whatever else is wrong.
Result<> check_deletion(const Home& home, const Arguments& names, bool internal, bool yes) {
  for (const auto& name : names) PG_CHECK(home.check_deletable(name));
  for (const auto& name : names) PG_CHECK(check_internal(name, internal));
  return yes ? Result<>() : fail(Errc::invalid_argument, "this destroys records: add --yes");
}

}  // namespace

Result<> check_internal(const std::string& name, bool allowed) {
  if (!name.starts_with('_') || allowed) return {};
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is an internal topic, which this program needs{}: add --internal", name,
                          name == "__consumer_offsets" ? " (groups could lose what they have committed)" : ""));
}

int topic_delete(const Arguments& arguments) {
  Tool tool("pg-topic delete");
  bool yes = false, internal = false;
  OptionTable table("pg-topic delete", "TOPIC...", "Deletes each TOPIC and its records, for good.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.flag("-y,--yes", yes, "really do it");
  table.flag("--internal", internal, kInternalHelp);
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_CHECK(check_deletion(*home, names, internal, yes));
    for (const auto& name : names) {
      PG_CHECK(home->delete_topic(name, tool.deadline()));
      tool.detail(fmt::format("deleted '{}'", name));
    }
    return kExitDone;
  });
}

}  // namespace pg
