// pg-topic trim: deletes records from the start of a log.
#include <fmt/format.h>

#include <limits>

#include "tools/common/place.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

std::string result_line(const std::string& topic, int32_t partition, const TrimResult& result) {
  return fmt::format("{{\"topic\":\"{}\",\"partition\":{},\"log_start_offset\":{},\"segments\":{},\"bytes\":{}}}\n",
                     topic, partition, result.log_start.value, result.segments, result.bytes);
}

}  // namespace

int topic_trim(const Arguments& arguments) {
  Tool tool("pg-topic trim");
  bool yes = false, internal = false;
  int64_t only = -1;
  std::optional<Place> to;
  OptionTable table("pg-topic trim", "TOPIC...",
                    "Deletes the oldest records of each TOPIC, those below a place, for good.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.option(
      "-o,--offset", "PLACE",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(to, parse_one_place(value, tool.env().clock.wall_ms()));
        return {};
      },
      "the first record to keep: N, +N, -N, @TIME, or end");
  table.count("-p,--partition", 0, only, "partition N only");
  table.flag("-y,--yes", yes, "really do it");
  table.flag("--internal", internal, kInternalHelp);
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    if (!to) return fail(Errc::invalid_argument, "say with -o which record is the first to keep");
    PG_ASSIGN(const auto home, tool.open_home());
    for (const auto& name : names) PG_CHECK(home->describe_topic(name));
    for (const auto& name : names) PG_CHECK(check_internal(name, internal));
    if (!yes) return fail(Errc::invalid_argument, "this destroys records: add --yes");
    for (const auto& name : names) {
      PG_ASSIGN(const auto topic, home->describe_topic(name));
      PG_ASSIGN(const auto partitions, chosen_partitions(topic, only, TopicNamed::yes));
      for (const PartitionId p : partitions) {
        PG_ASSIGN(const auto result, trim_partition(*home, topic, p, *to, tool.deadline()));
        tool.detail(fmt::format("'{}-{}' now starts at offset {}; {} segments, {} bytes removed", name, p.value,
                                result.log_start.value, result.segments, result.bytes));
        if (tool.common().json) PG_CHECK(tool.print(result_line(name, p.value, result)));
      }
    }
    return kExitDone;
  });
}

}  // namespace pg
