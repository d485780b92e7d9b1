// pg-group seek, commit, delete-offsets and delete: what changes a group.
#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"
#include "tools/common/offsets_file.h"
#include "tools/common/place.h"
#include "tools/pg-group/commands.h"

namespace pg {

Result<std::vector<PartitionChoice>> parse_choices(const std::vector<std::string>& operands, size_t first) {
  std::vector<PartitionChoice> choices;
  for (size_t i = first; i < operands.size(); ++i) {
    const auto colon = operands[i].find(':');
    PartitionChoice choice{operands[i].substr(0, colon), {}};
    if (colon != std::string::npos) {
      const auto number = parse_integer(std::string_view(operands[i]).substr(colon + 1));
      if (!number || *number < 0 || *number >= kPartitionsMax) {
        return fail(Errc::invalid_argument, fmt::format("'{}' is not a TOPIC:PARTITION", operands[i]));
      }
      choice.partition = PartitionId(static_cast<int32_t>(*number));
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

namespace {

// Topic, partition, offset before and now, separated by tabs, "-" where there is none; or as JSON.
Result<> print_changes(const Tool& tool, const std::string& group, const std::vector<OffsetChange>& changes) {
  std::string out;
  for (const auto& [partition, from, to, epoch] : changes) {
    const auto text = [](std::optional<Offset> offset, const char* none) {
      return offset && offset->value >= 0 ? fmt::format("{}", offset->value) : std::string(none);
    };
    if (tool.common().json) {
      out += fmt::format("{{\"group\":\"{}\",\"topic\":\"{}\",\"partition\":{},\"from\":{},\"to\":{}}}\n", group,
                         partition.topic, partition.partition.value, text(from, "null"), text(to, "null"));
    } else {
      out +=
          fmt::format("{}\t{}\t{}\t{}\n", partition.topic, partition.partition.value, text(from, "-"), text(to, "-"));
    }
  }
  return tool.print(out);
}

// For a command without --yes: not_found if there is nothing to destroy.
Error ask_for_yes(Home& home, const std::string& group, const std::vector<PartitionChoice>& choice, Deadline deadline) {
  const auto found = describe_group(home, group, choice, deadline);
  if (!found) return found.error();
  return {Errc::invalid_argument, "this destroys committed offsets: add --yes", {}, {}, 0};
}

}  // namespace

int group_seek(const Arguments& arguments) {
  Tool tool("pg-group seek");
  bool dry_run = false, force = false;
  OptionTable table(
      "pg-group seek", "GROUP WHERE [TOPIC[:PARTITION]...]",
      "Moves the committed offsets of GROUP to WHERE: start, end, N, @TIME, or +N and -N from where they are.");
  table.operands(2, std::numeric_limits<size_t>::max());
  table.take_negative_operands();
  table.flag("--dry-run", dry_run, "print what would change, and change nothing");
  table.flag("--force", force, "also while members are reading: they go on from there");
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const Place where, parse_one_place(operands[1], tool.env().clock.wall_ms()));
    PG_ASSIGN(const auto choice, parse_choices(operands, 2));
    PG_ASSIGN(const auto home, tool.open_home());
    const LiveGroup live = force ? LiveGroup::fence : LiveGroup::refuse;
    PG_ASSIGN(const auto changes, dry_run ? plan_seek(*home, operands[0], where, choice, tool.deadline())
                                          : seek_group(*home, operands[0], where, choice, live, tool.deadline()));
    return print_changes(tool, operands[0], changes).map([] { return kExitDone; });
  });
}

int group_commit(const Arguments& arguments) {
  Tool tool("pg-group commit");
  OptionTable table("pg-group commit", "GROUP FILE",
                    "Commits for GROUP the offsets that pg-consume --offsets-file wrote to FILE.");
  table.operands(2, 2);
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto offsets, read_offsets_file(operands[1]));
    // A reader that got nothing wrote it, and a script that runs every minute must not fail for that; or it is a
    // mistake.
    if (offsets.empty()) tool.note(fmt::format("'{}' is empty: there is nothing to commit", operands[1]));
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto changes, commit_offsets(*home, operands[0], offsets, tool.deadline()));
    if (changes.size() < offsets.size()) {
      tool.note(fmt::format("{} of {} partitions were committed that far already", offsets.size() - changes.size(),
                            offsets.size()));
    }
    return print_changes(tool, operands[0], changes).map([] { return kExitDone; });
  });
}

int group_delete_offsets(const Arguments& arguments) {
  Tool tool("pg-group delete-offsets");
  bool yes = false;
  OptionTable table("pg-group delete-offsets", "GROUP [TOPIC[:PARTITION]...]",
                    "Forgets what GROUP has committed, for all partitions or those named.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.flag("-y,--yes", yes, "really do it");
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto choice, parse_choices(operands, 1));
    PG_ASSIGN(const auto home, tool.open_home());
    if (!yes) return tl::unexpected(ask_for_yes(*home, operands[0], choice, tool.deadline()));
    PG_ASSIGN(const auto changes, delete_offsets(*home, operands[0], choice, tool.deadline()));
    return print_changes(tool, operands[0], changes).map([] { return kExitDone; });
  });
}

int group_delete(const Arguments& arguments) {
  Tool tool("pg-group delete");
  bool yes = false;
  OptionTable table("pg-group delete", "GROUP...", "Forgets each GROUP and what it has committed.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.flag("-y,--yes", yes, "really do it");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    for (const auto& name : names) {
      if (!yes) return tl::unexpected(ask_for_yes(*home, name, {}, tool.deadline()));
      PG_CHECK(delete_group(*home, name, tool.deadline()));
      tool.detail(fmt::format("deleted '{}'", name));
    }
    return kExitDone;
  });
}

}  // namespace pg
