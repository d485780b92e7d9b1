// pg-topic repair: what verify finds, and how much of it can be had back.
#include <fmt/format.h>

#include <limits>

#include "core/local/inspector.h"
#include "tools/common/json_record.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

std::string offsets_of(const RepairItem& item) {
  if (item.first >= item.end) return item.is_lost ? "no offset" : fmt::format("offset {}", item.first.value);
  if (item.end - item.first == 1) return fmt::format("offset {}", item.first.value);
  return fmt::format("offsets {} to {}", item.first.value, item.end.value - 1);
}

std::string item_line(const RepairItem& item, bool json) {
  const char* outcome = item.is_lost ? "lost" : "restored";
  if (!json) {
    return fmt::format("{}:{} {} {}, {} bytes: {}\n", item.path, item.position, offsets_of(item), outcome, item.bytes,
                       item.reason);
  }
  std::string line = "{\"file\":";
  append_json_bytes(line, item.path);
  line +=
      fmt::format(",\"position\":{},\"bytes\":{},\"first_offset\":{},\"end_offset\":{},\"outcome\":\"{}\",\"reason\":",
                  item.position, item.bytes, item.first.value, item.end.value, outcome);
  append_json_bytes(line, item.reason);
  return line + "}\n";
}

// Prints what a topic whose metadata was lost is again.
Result<> report_metadata(const Tool& tool, const RestoredTopic& restored, bool yes) {
  const TopicMetadata& topic = restored.topic;
  RepairItem item;
  item.path = restored.fault.path;
  item.is_lost = false;
  item.reason = "the metadata of the topic";
  PG_CHECK(tool.print(item_line(item, tool.common().json)));
  std::string configs;
  for (const auto& [name, value] : topic.config) configs += fmt::format(" {}={}", name, value);
  tool.note(fmt::format("'{}': the metadata of {} partitions {} from their directories; configs:{}", topic.name,
                        topic.partitions.size(), yes ? "was made" : "can be made",
                        configs.empty() ? " the default" : configs));
  return {};
}

}  // namespace

int topic_repair(const Arguments& arguments) {
  Tool tool("pg-topic repair");
  bool yes = false, transactions = false;
  int64_t only = -1;
  OptionTable table(
      "pg-topic repair", "TOPIC...",
      "Says which records of each TOPIC are lost to damage, and with --yes makes the rest readable again.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  table.flag("-y,--yes", yes, "really do it: damaged bytes go to side files");
  table.flag("--abort-transactions", transactions, "instead, end open transactions whose producers cannot return");
  tool.add_common_options(table, "print a line of JSON per place");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    if (transactions) return abort_topic_transactions(tool, *home, names, only, yes);
    bool needed = false;
    for (const auto& name : names) {
      PG_ASSIGN(const auto restored, home->restore_topic(name, yes, tool.deadline()));
      if (restored) PG_CHECK(report_metadata(tool, *restored, yes));
      needed |= restored.has_value();
      if (restored && !yes) continue;  // its partitions can be looked at only then
      PG_ASSIGN(const auto topic, home->describe_topic(name));
      PG_ASSIGN(const auto partitions, chosen_partitions(topic, only, TopicNamed::yes));
      for (const PartitionId p : partitions) {
        std::string lines;
        PG_ASSIGN(const auto totals,
                  repair_partition(*home, topic, p, yes, tool.deadline(),
                                   [&](const RepairItem& item) { lines += item_line(item, tool.common().json); }));
        PG_CHECK(tool.print(lines));
        if (totals.nothing_to_do()) continue;
        needed = true;
        const char* offline = !totals.is_offline ? "" : yes ? ", online again" : ", offline since a flush failed";
        tool.note(fmt::format("'{}-{}': {} offsets lost, {} batches and files {}, {} segments {}{}", name, p.value,
                              totals.lost_offsets, totals.restored, yes ? "restored" : "to restore",
                              totals.rewritten_segments, yes ? "rewritten" : "to rewrite", offline));
      }
    }
    if (needed && !yes) return fail(Errc::corrupt, "nothing was changed: add --yes to repair it");
    return kExitDone;
  });
}

}  // namespace pg
