// pg-topic: topics as a whole. This file only finds the sub-command.
#include <fmt/format.h>

#include <algorithm>

#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments&);
};

constexpr Command kCommands[] = {
    {"create", "make a topic", topic_create},
    {"list", "print the names of the topics", topic_list},
    {"describe", "print configs, replicas and how far each partition is written and flushed", topic_describe},
    {"alter", "change configs, or add partitions", topic_alter},
    {"delete", "delete a topic and its records", topic_delete},
    {"offsets", "print the first and the next offset of each partition", topic_offsets},
    {"dump", "print segments, batches, records and index entries", topic_dump},
    {"trim", "delete the oldest records, below an offset or a time", topic_trim},
    {"compact", "delete what retention and compaction no longer keep", topic_compact},
    {"verify", "check every byte, and name each fault", topic_verify},
    {"repair", "make a damaged topic readable again, and name what is lost", topic_repair},
};

std::string usage() {
  std::string text = "usage: pg-topic COMMAND [OPTION...] ...\n\ncommands ('pg-topic COMMAND --help' says more):\n";
  for (const auto& command : kCommands) text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  return text;
}

// Options before the command count as its own: 'pg-topic --home DIR list'.
size_t command_position(const Arguments& arguments) {
  size_t at = 0;
  while (at < arguments.size() && arguments[at].starts_with('-')) {
    at += arguments[at] == "--home" || arguments[at] == "--timeout" ? 2 : 1;
  }
  return at;
}

}  // namespace
}  // namespace pg

int main(int argc, char** argv) {
  pg::Arguments arguments = pg::arguments_of(argc, argv);
  const size_t at = pg::command_position(arguments);
  if (at >= arguments.size()) {
    pg::Tool tool("pg-topic");
    pg::OptionTable table("pg-topic", "COMMAND", "");
    tool.add_common_options(table, "");
    const auto asks = [&](const char* a, const char* b) {
      return std::count(arguments.begin(), arguments.end(), a) + std::count(arguments.begin(), arguments.end(), b) > 0;
    };
    if (asks("-h", "--help")) return tool.print(pg::usage()) ? pg::kExitDone : pg::kExitFailed;
    return tool.run(table, arguments, [](const auto&) -> pg::Result<pg::ExitCode> {
      return pg::fail(pg::Errc::invalid_argument, "missing command (try 'pg-topic --help')");
    });
  }
  const std::string name = arguments[at];
  arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  for (const auto& command : pg::kCommands) {
    if (name == command.name) return command.run(arguments);
  }
  pg::Tool("pg-topic").error(fmt::format("unknown command '{}' (try 'pg-topic --help')", name));
  return pg::kExitUsage;
}
