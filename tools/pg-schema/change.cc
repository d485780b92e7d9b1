// pg-schema delete, level and mode: what is taken away, and which changes are allowed.
#include <fmt/format.h>

#include "tools/common/json_record.h"
#include "tools/pg-schema/commands.h"

namespace pg {
namespace {

Result<> print_deleted(const Tool& tool, const std::string& subject, const std::vector<int32_t>& versions, bool permanent) {
  std::string out;
  for (const int32_t version : versions) {
    out += tool.common().json ? fmt::format("{{\"subject\":{},\"version\":{},\"permanent\":{}}}\n", json_string(subject), version, permanent)
                              : fmt::format("{}\n", version);
  }
  return tool.print(out);
}

// What is said of a setting; `word` is "level" or "mode".
Result<> print_setting(const Tool& tool, const std::optional<std::string>& subject, const char* word, std::string_view value, bool inherited) {
  if (!tool.common().json) return tool.print(fmt::format("{}\n", value));
  return tool.print(fmt::format("{{\"subject\":{},\"{}\":\"{}\",\"inherited\":{}}}\n", subject ? json_string(*subject) : "null", word, value, inherited));
}

// "[SUBJECT] [VALUE]": one operand that is a value, in capitals, is meant for all subjects.
template <class Value>
struct SettingChoice {
  std::optional<std::string> subject;
  std::optional<Value> value;
};

template <class Value>
Result<SettingChoice<Value>> parse_setting(const std::vector<std::string>& operands, std::optional<Value> (*parse)(std::string_view), std::string_view (*name)(Value),
                                           const char* known) {
  SettingChoice<Value> choice;
  if (operands.size() == 1) {
    const auto value = parse(operands[0]);
    if (value && name(*value) == operands[0]) choice.value = value;
    else choice.subject = operands[0];
  }
  if (operands.size() == 2) {
    choice.subject = operands[0];
    choice.value = parse(operands[1]);
    if (!choice.value) return fail(Errc::invalid_argument, fmt::format("'{}' is not one of {}", operands[1], known));
  }
  return choice;
}

}  // namespace

int schema_delete(const Arguments& arguments) {
  Tool tool("pg-schema delete");
  bool permanent = false, yes = false;
  OptionTable table("pg-schema delete", "SUBJECT[:VERSION]",
                    "Deletes SUBJECT, or one VERSION of it, softly: it can still be found by its id, and with --deleted.\n"
                    "Prints the versions that it deletes.");
  table.operands(1, 1);
  table.flag("--permanent", permanent, "for good, what was deleted softly before; needs --yes");
  table.flag("-y,--yes", yes, "really do it");
  tool.add_common_options(table, "print a line of JSON per version");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    if (permanent && !yes) return fail(Errc::invalid_argument, "values that were written with it can no longer be read: add --yes");
    PG_ASSIGN(const auto choice, parse_subject_choice(operands[0]));
    PG_ASSIGN(auto open, open_registry(tool));
    if (!choice.names_version) {
      PG_ASSIGN(const auto versions, open.registry.delete_subject(choice.subject, permanent, tool.deadline()));
      PG_CHECK(print_deleted(tool, choice.subject, versions, permanent));
      return kExitDone;
    }
    PG_ASSIGN(const int32_t version, open.registry.delete_version(choice.subject, choice.version, permanent, tool.deadline()));
    PG_CHECK(print_deleted(tool, choice.subject, {version}, permanent));
    return kExitDone;
  });
}

int schema_level(const Arguments& arguments) {
  Tool tool("pg-schema level");
  bool unset = false;
  OptionTable table("pg-schema level", "[SUBJECT] [LEVEL]",
                    "Prints which changes SUBJECT allows, or all subjects that say nothing themselves; with a LEVEL, sets it:\n"
                    "NONE, BACKWARD (default), FORWARD, FULL, BACKWARD_TRANSITIVE, FORWARD_TRANSITIVE, FULL_TRANSITIVE.");
  table.operands(0, 2);
  table.flag("--unset", unset, "SUBJECT has none of its own any more");
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, (parse_setting<CompatibilityLevel>(operands, parse_level, level_name,
                                                                    "NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE")));
    if (unset && choice.value) return fail(Errc::invalid_argument, "either a level or --unset");
    PG_ASSIGN(auto open, open_registry(tool));
    if (choice.value || unset) PG_CHECK(open.registry.set_level(choice.subject, choice.value, tool.deadline()));
    PG_ASSIGN(const auto now, open.registry.level(choice.subject));
    if (choice.value || unset) return kExitDone;
    PG_CHECK(print_setting(tool, choice.subject, "level", level_name(now.value), now.inherited));
    return kExitDone;
  });
}

int schema_mode(const Arguments& arguments) {
  Tool tool("pg-schema mode");
  bool unset = false;
  OptionTable table("pg-schema mode", "[SUBJECT] [MODE]",
                    "Prints whether SUBJECT may be changed, or all subjects that say nothing themselves; with a MODE, sets it:\n"
                    "READWRITE (default) or READONLY.");
  table.operands(0, 2);
  table.flag("--unset", unset, "SUBJECT has none of its own any more");
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, (parse_setting<RegistryMode>(operands, parse_mode, mode_name, "READWRITE, READONLY")));
    if (unset && choice.value) return fail(Errc::invalid_argument, "either a mode or --unset");
    PG_ASSIGN(auto open, open_registry(tool));
    if (choice.value || unset) PG_CHECK(open.registry.set_mode(choice.subject, choice.value, tool.deadline()));
    PG_ASSIGN(const auto now, open.registry.mode(choice.subject));
    if (choice.value || unset) return kExitDone;
    PG_CHECK(print_setting(tool, choice.subject, "mode", mode_name(now.value), now.inherited));
    return kExitDone;
  });
}

}  // namespace pg
