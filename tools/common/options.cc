#include "tools/common/options.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/base/text.h"

namespace pg {
namespace {

constexpr size_t kHelpColumn = 32;
constexpr size_t kRowsUsual = 48;  // pg-consume has the most; rows are not moved while the table grows

// "-d,--delimiter" for people: "-d, --delimiter"; without a short name the long ones line up.
std::string shown_names(const std::string& names) {
  const auto comma = names.find(',');
  if (comma == std::string::npos) return names.starts_with("--") ? "    " + names : names;
  return names.substr(0, comma) + ", " + names.substr(comma + 1);
}

}  // namespace

OptionTable::OptionTable(std::string command, std::string operands, std::string description)
    : command_(std::move(command)), operands_(std::move(operands)), description_(std::move(description)) {
  rows_.reserve(kRowsUsual);
}

void OptionTable::flag(const std::string& names, bool& target, const std::string& help) {
  rows_.push_back({names, "", help, &target, {}, false});
}

void OptionTable::printing_flag(const std::string& names, bool& target, const std::string& help) {
  flag(names, target, help);
  rows_.back().prints = true;
}

void OptionTable::option(const std::string& names, const std::string& value_name, Parser parser,
                         const std::string& help) {
  rows_.push_back({names, value_name, help, nullptr, std::move(parser), false});
}

void OptionTable::option(const std::string& names, const std::string& value_name, std::string& target,
                         const std::string& help) {
  option(
      names, value_name,
      [&target](const std::string& value) {
        target = value;
        return Result<>();
      },
      help);
}

Result<Duration> to_duration(const std::string& value) {
  const auto parsed = parse_duration(value);
  if (parsed) return *parsed;
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is not a duration: write a number and us, ms, s, m, h or d", value));
}

Result<PartitionId> to_partition(const std::string& value) {
  const auto number = parse_integer(value);
  if (number && *number >= 0 && *number < kPartitionsMax) return PartitionId(static_cast<int32_t>(*number));
  return fail(Errc::invalid_argument, fmt::format("'{}' is not a partition number", value));
}

namespace {

template <typename Target>
OptionTable::Parser into(Target& target) {
  return [&target](const std::string& value) -> Result<> {
    PG_ASSIGN(target, to_duration(value));
    return {};
  };
}

}  // namespace

void OptionTable::duration(const std::string& names, Duration& target, const std::string& help) {
  option(names, "DURATION", into(target), help);
}

void OptionTable::duration(const std::string& names, std::optional<Duration>& target, const std::string& help) {
  option(names, "DURATION", into(target), help);
}

void OptionTable::size(const std::string& names, size_t least, size_t& target, const std::string& help) {
  option(
      names, "SIZE",
      [least, &target](const std::string& value) -> Result<> {
        const auto parsed = parse_size(value);
        if (!parsed || std::cmp_less(*parsed, least))
          return fail(
              Errc::invalid_argument,
              fmt::format("'{}' is not a size of at least {}: write bytes, or a number and K, M or G", value, least));
        target = static_cast<size_t>(*parsed);
        return {};
      },
      help);
}

void OptionTable::count(const std::string& names, int64_t least, int64_t& target, const std::string& help) {
  option(
      names, "N",
      [least, &target](const std::string& value) -> Result<> {
        const auto parsed = parse_integer(value);
        if (!parsed || *parsed < least)
          return fail(Errc::invalid_argument, fmt::format("'{}' is not a number of at least {}", value, least));
        target = *parsed;
        return {};
      },
      help);
}

void OptionTable::operands(size_t least, size_t most) {
  operands_least_ = least;
  operands_most_ = most;
}

namespace {

// Whether one of the words, "--name" or letters as in "-vk", is one of these names, or may be.
bool may_name(const std::vector<std::string>& words, std::string_view names) {
  const auto is_named = [](std::string_view word, std::string_view name) {
    return name.size() == 2
               ? word.size() >= 2 && word[0] == '-' && word[1] != '-' && word.find(name[1], 1) != std::string::npos
               : word == name;
  };
  const auto comma = names.find(',');  // "-k,--key" or "--key"
  const std::string_view first = names.substr(0, comma),
                         second = comma == std::string_view::npos ? first : names.substr(comma + 1);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return is_named(word, first) || is_named(word, second); });
}

}  // namespace

Result<std::vector<std::string>> OptionTable::parse(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  auto [options, operands] = separate(arguments);
  std::vector<std::vector<std::string>> values(rows_.size());
  for (size_t i = 0; i < rows_.size(); ++i) {
    // It compares each option with all before it, which took more than half of a short command's instructions.
    if (!may_name(options, rows_[i].names)) continue;
    if (rows_[i].flag != nullptr) {
      app.add_flag(rows_[i].names, *rows_[i].flag)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    } else {
      // A vector, so that repeats are kept; one argument at a time, so that no word behind it is swallowed.
      app.add_option(rows_[i].names, values[i])
          ->expected(1)
          ->allow_extra_args(false)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }

  auto usage = [&](const std::string& what) {
    const std::string hint = hint_for(arguments);
    return fail(Errc::invalid_argument, hint.empty() ? fmt::format("{} (try '{} --help')", what, command_) : hint);
  };
  try {
    std::reverse(options.begin(), options.end());  // CLI11 takes them from the back
    app.parse(std::move(options));
  } catch (const CLI::ParseError& e) {
    return usage(e.what());
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!values[i].empty()) PG_CHECK(take_values(rows_[i], values[i]));
  }
  const bool only_prints = std::any_of(rows_.begin(), rows_.end(),
                                       [](const Row& row) { return row.prints && row.flag != nullptr && *row.flag; });
  if (only_prints) return operands;
  if (operands.size() < operands_least_) return usage(fmt::format("missing operand: {} {}", command_, operands_));
  if (operands.size() > operands_most_) return usage(fmt::format("unexpected argument '{}'", operands[operands_most_]));
  return operands;
}

Result<> OptionTable::take_values(const Row& row, const std::vector<std::string>& values) {
  const std::string name = row.names.substr(row.names.rfind(',') + 1);
  if (values.size() > 1 && !row.repeatable) {
    return fail(Errc::invalid_argument,
                fmt::format("{}: given twice, as '{}' and as '{}'", name, values[0], values[1]));
  }
  for (const auto& value : values) {
    const auto parsed = row.parser(value);
    if (parsed) continue;
    Error error = parsed.error();
    error.what = fmt::format("{}: {}", name, error.what);
    return tl::unexpected(std::move(error));
  }
  return {};
}

bool OptionTable::takes_value(const std::string& name) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    const auto names = split(row.names, ',');
    return row.flag == nullptr && std::find(names.begin(), names.end(), name) != names.end();
  });
}

std::string OptionTable::current_name(const std::string& name) {
  const auto found =
      std::find_if(old_names_.begin(), old_names_.end(), [&](const auto& names) { return names.first == name; });
  if (found == old_names_.end()) return name;
  notices_.push_back(fmt::format("{} is called {} now: use that", found->first, found->second));
  return found->second;
}

// CLI11 gets the options alone: left with the operands, it would take "[1,2]" for a list, drop "++", and let "--x="
// swallow the next word. Which words are options' values follows from the table.
std::pair<std::vector<std::string>, std::vector<std::string>> OptionTable::separate(
    const std::vector<std::string>& arguments) {
  std::vector<std::string> options, operands;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      operands.insert(operands.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    const bool is_negative = negative_operands_ && argument.find_first_not_of("0123456789", 1) == std::string::npos;
    if (argument.size() < 2 || argument[0] != '-' || is_negative) {
      operands.push_back(argument);
      continue;
    }
    bool value_follows = false;
    if (argument.starts_with("--")) {
      const auto equals = argument.find('=');
      const std::string name = current_name(argument.substr(0, equals));
      options.push_back(name);
      if (equals != std::string::npos)
        options.push_back(argument.substr(equals + 1));
      else
        value_follows = takes_value(name);
    } else {
      options.push_back(argument);
      // In "-vk" the value of -k follows; in "-kv" it is "v".
      size_t letter = 1;
      while (letter < argument.size() && !takes_value({'-', argument[letter]})) ++letter;
      value_follows = letter + 1 == argument.size();
    }
    if (value_follows && i + 1 < arguments.size()) options.push_back(arguments[++i]);
  }
  return {std::move(options), std::move(operands)};
}

std::string OptionTable::hint_for(const std::vector<std::string>& arguments) const {
  for (const auto& argument : arguments) {
    if (argument == "--") break;
    for (const auto& [option, advice] : hints_) {
      if (argument == option) return fmt::format("{}: {} (try '{} --help')", option, advice, command_);
    }
  }
  return {};
}

std::string OptionTable::help() const {
  std::string text = fmt::format("usage: {} [OPTION...]{}{}\n\n{}\n\noptions:\n", command_,
                                 operands_.empty() ? "" : " ", operands_, description_);
  for (const auto& row : rows_) {
    std::string left = "  " + shown_names(row.names);
    if (!row.value_name.empty()) left += " " + row.value_name;
    if (left.size() + 1 < kHelpColumn)
      left.resize(kHelpColumn, ' ');
    else
      left += "\n" + std::string(kHelpColumn, ' ');
    for (const auto line : split(row.help, '\n')) {
      text += fmt::format("{}{}\n", left, line);
      left.assign(kHelpColumn, ' ');
    }
  }
  return text;
}

}  // namespace pg
