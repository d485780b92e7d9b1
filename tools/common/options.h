// A command line: one table of options per command, from which parsing (by CLI11) and --help come.
//
// Every option takes exactly one argument; "--x=" is an empty one; "--" ends options; positional arguments are bytes
// and are never split or interpreted. A value that its option's parser refuses is a usage error that names the option.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

// The values of options; invalid_argument says what else is wanted.
Result<Duration> to_duration(const std::string& value);
Result<PartitionId> to_partition(const std::string& value);

// The options of one command.
class OptionTable {
 public:
  // `command` is "pg-topic create"; `operands` is "TOPIC [MESSAGE...]".
  OptionTable(std::string command, std::string operands, std::string description);

  using Parser = std::function<Result<>(const std::string& value)>;
  // `names` is "-d,--delimiter" or "--linger". Options are shown in the order of these calls.
  void flag(const std::string& names, bool& target, const std::string& help);
  // With this flag the command only prints something: then no operand has to be there.
  void printing_flag(const std::string& names, bool& target, const std::string& help);
  void option(const std::string& names, const std::string& value_name, Parser parser, const std::string& help);
  void option(const std::string& names, const std::string& value_name, std::string& target, const std::string& help);
  // The last option may come more than once: each value counts. Any other option that is given twice is a usage error,
  // since one of its values would be ignored. A flag may be repeated, since that changes nothing.
  void may_repeat() { rows_.back().repeatable = true; }
  void duration(const std::string& names, Duration& target, const std::string& help);
  void duration(const std::string& names, std::optional<Duration>& target, const std::string& help);
  void size(const std::string& names, size_t least, size_t& target, const std::string& help);
  void count(const std::string& names, int64_t least, int64_t& target, const std::string& help);
  // What to say when somebody uses an option of another tool: hint("-t", "the topic is the first argument").
  void hint(const std::string& option, const std::string& advice) { hints_.push_back({option, advice}); }
  // The option `name` was called `old` in earlier versions. It is still taken, and help does not show it.
  void old_name(const std::string& old, const std::string& name) { old_names_.push_back({old, name}); }
  // How many operands there may be.
  void operands(size_t least, size_t most);

  // "-5" is an operand and no option.
  void take_negative_operands() { negative_operands_ = true; }

  // Parses argv[1...]; the operands. invalid_argument is a usage error.
  Result<std::vector<std::string>> parse(const std::vector<std::string>& arguments);

  // A line for each old name that the arguments of parse() had.
  const std::vector<std::string>& notices() const { return notices_; }

  std::string help() const;
  const std::string& command() const { return command_; }

 private:
  struct Row {
    std::string names, value_name, help;
    bool* flag = nullptr;
    Parser parser;
    bool repeatable = false;
    bool prints = false;
  };

  static Result<> take_values(const Row& row, const std::vector<std::string>& values);
  bool takes_value(const std::string& name) const;
  std::pair<std::vector<std::string>, std::vector<std::string>> separate(const std::vector<std::string>& arguments);
  std::string current_name(const std::string& name);
  std::string hint_for(const std::vector<std::string>& arguments) const;

  std::string command_, operands_, description_;
  std::vector<Row> rows_;
  std::vector<std::pair<std::string, std::string>> hints_, old_names_;
  std::vector<std::string> notices_;
  size_t operands_least_ = 0, operands_most_ = 0;
  bool negative_operands_ = false;
};

}  // namespace pg
