// pg-group list, describe and lag: what there is to know about groups.
#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"
#include "tools/common/json_record.h"
#include "tools/pg-group/commands.h"

namespace pg {
namespace {

const char* state_of(bool is_live) { return is_live ? "stable" : "empty"; }

std::string committed_text(const PartitionProgress& progress) {
  return progress.committed ? fmt::format("{}", progress.committed->offset.value) : "-";
}

std::string text_of(const GroupDescription& group) {
  std::string out =
      fmt::format("group {}  state {}  generation {}  assignor {}\n", group.name, state_of(group.is_live()),
                  group.generation, group.assignor.empty() ? "-" : group.assignor);
  for (const auto& member : group.members) {
    size_t partitions = 0;
    for (const auto& [topic, assigned] : member.assignment) partitions += assigned.size();
    out += fmt::format("  member {}  pid {}  partitions {}\n", member.id, member.process.pid, partitions);
  }
  for (const auto& each : group.partitions) {
    out += fmt::format("  {}  partition {}  committed {}  end {}{}  lag {}  member {}\n", each.partition.topic,
                       each.partition.partition.value, committed_text(each), each.log_end.value,
                       each.last_stable < each.log_end ? fmt::format("  stable {}", each.last_stable.value) : "",
                       each.lag(), each.member.empty() ? "-" : each.member);
  }
  return out;
}

std::string json_of(const GroupMember& member) {
  std::string assignment;
  for (const auto& [topic, partitions] : member.assignment) {
    for (const PartitionId partition : partitions) {
      assignment +=
          fmt::format("{}{{\"topic\":\"{}\",\"partition\":{}}}", assignment.empty() ? "" : ",", topic, partition.value);
    }
  }
  return fmt::format("{{\"member\":{},\"client_id\":{},\"pid\":{},\"session_timeout_ms\":{},\"assignment\":[{}]}}",
                     json_string(member.id), json_string(member.client_id), member.process.pid,
                     member.session_timeout_ms, assignment);
}

std::string json_of(const PartitionProgress& each) {
  const std::string committed = each.committed ? fmt::format("{}", each.committed->offset.value) : "null";
  return fmt::format(
      "{{\"topic\":\"{}\",\"partition\":{},\"committed_offset\":{},\"leader_epoch\":{},\"log_start_offset\":{},"
      "\"high_watermark\":{}{},\"lag\":{},\"member\":{}}}",
      each.partition.topic, each.partition.partition.value, committed,
      each.committed ? each.committed->leader_epoch.value : -1, each.log_start.value, each.log_end.value,
      each.last_stable < each.log_end ? fmt::format(",\"last_stable_offset\":{}", each.last_stable.value) : "",
      each.lag(), each.member.empty() ? "null" : json_string(each.member));
}

std::string json_of(const GroupDescription& group) {
  std::string members, partitions;
  for (const auto& member : group.members) {
    if (!members.empty()) members += ',';
    members += json_of(member);
  }
  for (const auto& each : group.partitions) {
    if (!partitions.empty()) partitions += ',';
    partitions += json_of(each);
  }
  return fmt::format(
      "{{\"group\":\"{}\",\"state\":\"{}\",\"generation\":{},\"assignor\":{},\"members\":[{}],\"partitions\":[{}]}}\n",
      group.name, state_of(group.is_live()), group.generation,
      group.assignor.empty() ? "null" : json_string(group.assignor), members, partitions);
}

}  // namespace

int group_list(const Arguments& arguments) {
  Tool tool("pg-group list");
  OptionTable table("pg-group list", "", "Prints the name of each group, one per line.");
  tool.add_common_options(table, "print a line of JSON per group");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto groups, list_groups(*home, tool.deadline()));
    std::string out;
    for (const auto& group : groups) {
      out += tool.common().json
                 ? fmt::format("{{\"group\":\"{}\",\"state\":\"{}\"}}\n", group.name, state_of(group.is_live))
                 : group.name + "\n";
    }
    return tool.print(out).map([] { return kExitDone; });
  });
}

int group_describe(const Arguments& arguments) {
  Tool tool("pg-group describe");
  OptionTable table("pg-group describe", "[GROUP...]",
                    "Prints members, assignment, committed offsets and lag of each GROUP, or of all.");
  table.operands(0, std::numeric_limits<size_t>::max());
  tool.add_common_options(table, "print a line of JSON per group");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    const auto print = [&](const GroupDescription& group) {
      return tool.print(tool.common().json ? json_of(group) : text_of(group));
    };
    if (names.empty()) PG_CHECK(describe_all_groups(*home, print, tool.deadline()));
    for (const auto& name : names) {
      PG_ASSIGN(const auto group, describe_group(*home, name, {}, tool.deadline()));
      PG_CHECK(print(group));
    }
    return kExitDone;
  });
}

int group_lag(const Arguments& arguments) {
  Tool tool("pg-group lag");
  int64_t most = -1;
  OptionTable table("pg-group lag", "GROUP [TOPIC[:PARTITION]...]",
                    "Prints how many offsets GROUP has before it, over all its partitions or those named.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.count("--max", 0, most, "exit 8 if it is more than N");
  tool.add_common_options(table, "print a line of JSON");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto choice, parse_choices(operands, 1));
    PG_ASSIGN(const auto group, describe_group(*home, operands[0], choice, tool.deadline()));
    int64_t lag = 0;
    for (const auto& each : group.partitions) lag += each.lag();
    PG_CHECK(tool.print(tool.common().json ? fmt::format("{{\"group\":\"{}\",\"lag\":{}}}\n", group.name, lag)
                                           : fmt::format("{}\n", lag)));
    if (most < 0 || lag <= most) return kExitDone;
    return fail(Errc::conflict, fmt::format("group '{}' has a lag of {}, more than {}", group.name, lag, most));
  });
}

}  // namespace pg
