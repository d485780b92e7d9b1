#include "tools/common/subcommands.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tools/common/run_tool.h"

namespace pg {
namespace {

std::string usage(const char* tool, std::span<const Subcommand> commands) {
  std::string text =
      fmt::format("usage: {0} COMMAND [OPTION...] ...\n\ncommands ('{0} COMMAND --help' says more):\n", tool);
  for (const auto& command : commands) {
    if (command.summary != nullptr) text += fmt::format("  {:<15}{}\n", command.name, command.summary);
  }
  return text;
}

bool is_option(const std::string& word) { return word.size() > 1 && word.starts_with('-'); }

// Options before the command count as its own: 'pg-topic --home DIR -p 0 offsets t'. Only the command knows which of
// them take a value. So the first word that is the name of a command is the command, and words before it are values of
// the options that they follow. A word that cannot be a value is a mistyped command.
size_t command_position(std::span<const Subcommand> commands, const Arguments& arguments) {
  const auto is_command = [&](const std::string& word) {
    return std::any_of(commands.begin(), commands.end(),
                       [&](const Subcommand& command) { return word == command.name; });
  };
  std::optional<size_t> unknown;
  for (size_t at = 0; at < arguments.size() && arguments[at] != "--"; ++at) {
    if (is_option(arguments[at])) {
      if (arguments[at] == "--home" || arguments[at] == "--timeout") ++at;
      continue;
    }
    if (is_command(arguments[at])) return at;
    const bool may_be_value =
        at > 0 && is_option(arguments[at - 1]) && arguments[at - 1].find('=') == std::string::npos;
    if (!may_be_value) return at;
    unknown = unknown.value_or(at);
  }
  return unknown.value_or(arguments.size());
}

int run_without_command(const char* name, std::span<const Subcommand> commands, const Arguments& arguments) {
  Tool tool(name);
  const auto asks = [&](const char* a, const char* b) {
    return std::count(arguments.begin(), arguments.end(), a) + std::count(arguments.begin(), arguments.end(), b) > 0;
  };
  OptionTable table(name, "COMMAND", "");
  if (asks("-h", "--help"))
    return tool.run(table, {},
                    [&](const auto&) { return tool.print(usage(name, commands)).map([] { return kExitDone; }); });
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    return fail(Errc::invalid_argument, fmt::format("missing command (try '{} --help')", name));
  });
}

}  // namespace

int run_subcommand(const char* tool, std::span<const Subcommand> commands, int argc, char** argv) {
  Arguments arguments = arguments_of(argc, argv);
  const size_t at = command_position(commands, arguments);
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
