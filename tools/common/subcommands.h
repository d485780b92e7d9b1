// Tools that have commands: 'pg-topic create'. Each command is a function of its own with its own table of options.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace pg {

using Arguments = std::vector<std::string>;

struct Subcommand {
  const char* name;
  const char* summary;           // nullptr: not for people, and not in --help
  int (*run)(const Arguments&);  // gets the arguments behind the name; the exit status
};

// Finds the command and runs it; answers --help and --version before any. The exit status.
int run_subcommand(const char* tool, std::span<const Subcommand> commands, int argc, char** argv);

}  // namespace pg
