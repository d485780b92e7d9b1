// pg-schema delete, level and mode: what is taken away, and which changes are allowed.
#include <fmt/format.h>

#include "tools/common/json_record.h"
#include "tools/pg-schema/commands.h"

namespace pg {
namespace {

Result<> print_deleted(const Tool& tool, const std::string& subject, const std::vector<int32_t>& versions,
                       bool permanent) {
  std::string out;
  for (const int32_t version : versions) {
    out += tool.common().json ? fmt::format("{{\"subject\":{},\"version\":{},\"permanent\":{}}}\n",
                                            json_string(subject), version, permanent)
                              : fmt::format("{}\n", version);
  }
  return tool.print(out);
}

// What is said of a setting; `word` is "level" or "mode".
Result<> print_setting(const Tool& tool, const std::optional<std::string>& subject, const char* word,
                       std::string_view value, bool inherited) {
  if (!tool.common().json) return tool.print(fmt::format("{}\n", value));
  return tool.print(fmt::format("{{\"subject\":{},\"{}\":\"{}\",\"inherited\":{}}}\n",
                                subject ? json_string(*subject) : "null", word, value, inherited));
}

// "[SUBJECT] [VALUE]": one operand that is a value, in capitals, is meant for all subjects.
template <class Value>
struct SettingChoice {
  std::optional<std::string> subject;
  std::optional<Value> value;
};

// What 'level' and 'mode' differ in.
template <class Value>
struct SettingCommand {
  const char* word;
  const char* operands;
  const char* description;
  const char* known;  // its values
  std::optional<Value> (*parse)(std::string_view);
  std::string_view (*name)(Value);
  RegistryResult<Setting<Value>> (Registry::*get)(const std::optional<std::string>& subject);
  RegistryResult<std::optional<Value>> (Registry::*set)(const std::optional<std::string>& subject,
                                                        std::optional<Value> value, Deadline deadline);

  Result<SettingChoice<Value>> parse_operands(const std::vector<std::string>& given) const;
  Result<> check_known(Registry& registry, const std::string& subject) const;
  int run(const Arguments& arguments) const;
};

template <class Value>
Result<SettingChoice<Value>> SettingCommand<Value>::parse_operands(const std::vector<std::string>& given) const {
  SettingChoice<Value> choice;
  if (given.size() == 1) {
    const auto value = parse(given[0]);
    if (value && name(*value) == given[0])
      choice.value = value;
    else
      choice.subject = given[0];
  }
  if (given.size() == 2) {
    PG_ASSIGN(choice.subject, parse_subject(given[0]));
    choice.value = parse(given[1]);
    if (!choice.value) return fail(Errc::invalid_argument, fmt::format("'{}' is not one of {}", given[1], known));
  }
  return choice;
}

// A value that is misspelt, or not in capitals, is taken for a subject: to print what holds for all would look like
// success.
template <class Value>
Result<> SettingCommand<Value>::check_known(Registry& registry, const std::string& subject) const {
  const auto versions = registry.versions(subject, Deleted::no);
  if (versions) return {};
  Error error = versions.error();
  if (error.code == Errc::not_found) error.what += fmt::format(", and it is not one of {}", known);
  return tl::unexpected(std::move(error));
}

template <class Value>
int SettingCommand<Value>::run(const Arguments& arguments) const {
  const std::string command = fmt::format("pg-schema {}", word);
  Tool tool(command);
  bool unset = false;
  OptionTable table(command, operands, description);
  table.operands(0, 2);
  table.flag("--unset", unset, "SUBJECT has none of its own any more");
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& given) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, parse_operands(given));
    if (unset && choice.value) return fail(Errc::invalid_argument, fmt::format("either a {} or --unset", word));
    PG_ASSIGN(auto open, open_registry(tool, choice.value ? RegistryUse::write : RegistryUse::read));
    if (choice.value || unset) {
      PG_CHECK((open.registry.*set)(choice.subject, choice.value, tool.deadline()));
      return kExitDone;
    }
    PG_ASSIGN(const auto now, (open.registry.*get)(choice.subject));
    if (now.inherited) PG_CHECK(check_known(open.registry, *choice.subject));
    PG_CHECK(print_setting(tool, choice.subject, word, name(now.value), now.inherited));
    return kExitDone;
  });
}

constexpr SettingCommand<CompatibilityLevel> kLevelCommand = {
    "level",
    "[SUBJECT] [LEVEL]",
    "Prints which changes SUBJECT allows, or all subjects that say nothing themselves; with a LEVEL, sets it:\n"
    "NONE, BACKWARD (default), FORWARD, FULL, BACKWARD_TRANSITIVE, FORWARD_TRANSITIVE, FULL_TRANSITIVE.",
    "NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE",
    parse_level,
    level_name,
    &Registry::level,
    &Registry::set_level};

constexpr SettingCommand<RegistryMode> kModeCommand = {
    "mode",
    "[SUBJECT] [MODE]",
    "Prints whether SUBJECT may be changed, or all subjects that say nothing themselves; with a MODE, sets it:\n"
    "READWRITE (default) or READONLY.",
    "READWRITE, READONLY",
    parse_mode,
    mode_name,
    &Registry::mode,
    &Registry::set_mode};

}  // namespace

int schema_delete(const Arguments& arguments) {
  Tool tool("pg-schema delete");
  bool permanent = false, yes = false;
  OptionTable table(
      "pg-schema delete", "SUBJECT[:VERSION]",
      "Deletes SUBJECT, or one VERSION of it, softly: it can still be found by its id, and with --deleted.\n"
      "Prints the versions that it deletes.");
  table.operands(1, 1);
  table.flag("--permanent", permanent, "for good, what was deleted softly before; needs --yes");
  table.flag("-y,--yes", yes, "really do it");
  tool.add_common_options(table, "print a line of JSON per version");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_ASSIGN(auto open, open_registry(tool));
    if (permanent && !yes) {
      PG_CHECK(open.registry.find(choice.subject, choice.version, Deleted::too));
      return fail(Errc::invalid_argument, "values that were written with it can no longer be read: add --yes");
    }
    if (!choice.names_version) {
      PG_ASSIGN(const auto versions, open.registry.delete_subject(choice.subject, permanent, tool.deadline()));
      PG_CHECK(print_deleted(tool, choice.subject, versions, permanent));
      return kExitDone;
    }
    PG_ASSIGN(const int32_t version,
              open.registry.delete_version(choice.subject, choice.version, permanent, tool.deadline()));
    PG_CHECK(print_deleted(tool, choice.subject, {version}, permanent));
    return kExitDone;
  });
}

int schema_level(const Arguments& arguments) { return kLevelCommand.run(arguments); }

int schema_mode(const Arguments& arguments) { return kModeCommand.run(arguments); }

}  // namespace pg
