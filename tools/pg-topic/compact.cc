// pg-topic compact: retention and compaction, for cron.
#include <fmt/format.h>

#include <limits>

#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

std::string result_line(const std::string& topic, int32_t partition, const Maintenance& done) {
  return fmt::format(
      "{{\"topic\":\"{}\",\"partition\":{},\"log_start_offset\":{},\"deleted_segments\":{},"
      "\"deleted_bytes\":{},\"compacted_records\":{},\"compacted_bytes\":{}{}}}\n",
      topic, partition, done.log_start.value, done.deleted.segments, done.deleted.bytes, done.compacted.records,
      done.compacted.bytes,
      done.compacted.idle.empty() ? "" : fmt::format(",\"not_compacted\":\"{}\"", done.compacted.idle));
}

}  // namespace

int topic_compact(const Arguments& arguments) {
  Tool tool("pg-topic compact");
  bool yes = false;
  int64_t only = -1;
  OptionTable table("pg-topic compact", "[TOPIC...]",
                    "Deletes what retention and compaction no longer keep of each TOPIC, or of every topic.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  table.flag("-y,--yes", yes, "believe the clock, although it has jumped ahead");
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto names, chosen_topics(*home, operands));
    Faults faults(tool);
    for (const auto& name : names) {
      const auto topic = describe_chosen(*home, name, !operands.empty(), faults);
      if (!topic) continue;
      PG_ASSIGN(const auto partitions,
                chosen_partitions(*topic, only, operands.empty() ? TopicNamed::no : TopicNamed::yes));
      for (const PartitionId p : partitions) {
        const auto done = maintain_partition(*home, *topic, p, yes, tool.deadline());
        if (!done) {
          faults.add(done.error());
          continue;
        }
        tool.detail(fmt::format("'{}-{}': {} segments with {} bytes deleted; {} records with {} bytes compacted away",
                                name, p.value, done->deleted.segments, done->deleted.bytes, done->compacted.records,
                                done->compacted.bytes));
        if (!done->compacted.idle.empty())
          tool.detail(fmt::format("'{}-{}': not compacted: {}", name, p.value, done->compacted.idle));
        if (tool.common().json) PG_CHECK(tool.print(result_line(name, p.value, *done)));
      }
    }
    return faults.outcome();
  });
}

}  // namespace pg
