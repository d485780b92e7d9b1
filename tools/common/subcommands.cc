#include "tools/common/subcommands.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/common/run_tool.h"

namespace pg {
namespace {

std::string usage(const char* tool, std::span<const Subcommand> commands) {
  std::string text = fmt::format("usage: {0} COMMAND [OPTION...] ...\n\ncommands ('{0} COMMAND --help' says more):\n", tool);
  for (const auto& command : commands) {
    if (command.summary != nullptr) text += fmt::format("  {:<15}{}\n", command.name, command.summary);
  }
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

int run_without_command(const char* name, std::span<const Subcommand> commands, const Arguments& arguments) {
  Tool tool(name);
  const auto asks = [&](const char* a, const char* b) {
    return std::count(arguments.begin(), arguments.end(), a) + std::count(arguments.begin(), arguments.end(), b) > 0;
  };
  if (asks("-h", "--help")) return tool.print(usage(name, commands)) ? kExitDone : kExitFailed;
  OptionTable table(name, "COMMAND", "");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    return fail(Errc::invalid_argument, fmt::format("missing command (try '{} --help')", name));
  });
}

}  // namespace

int run_subcommand(const char* tool, std::span<const Subcommand> commands, int argc, char** argv) {
  Arguments arguments = arguments_of(argc, argv);
  const size_t at = command_position(arguments);
  if (at >= arguments.size()) return run_without_command(tool, commands, arguments);
  const std::string name = arguments[at];
  arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  for (const auto& command : commands) {
    if (name == command.name) return command.run(arguments);
  }
  Tool(tool).error(fmt::format("unknown command '{}' (try '{} --help')", name, tool));
  return kExitUsage;
}

}  // namespace pg
