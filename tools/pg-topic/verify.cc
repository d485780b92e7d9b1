// pg-topic verify: silent where everything fits.
#include <fmt/format.h>

#include <limits>

#include "core/base/text.h"
#include "core/local/inspector.h"
#include "tools/common/json_record.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

std::string fault_line(const Fault& fault, bool json) {
  if (!json) return fmt::format("{}:{} offset {}: {}\n", fault.path, fault.position, fault.offset.value, fault.reason);
  std::string line = "{\"file\":";
  append_json_bytes(line, fault.path);
  line += fmt::format(",\"position\":{},\"offset\":{},\"reason\":", fault.position, fault.offset.value);
  append_json_bytes(line, fault.reason);
  return line + "}\n";
}

}  // namespace

int topic_verify(const Arguments& arguments) {
  Tool tool("pg-topic verify");
  int64_t only = -1;
  OptionTable table(
      "pg-topic verify", "[TOPIC...]",
      "Checks every byte of each TOPIC, or of every topic. Prints a line per fault and exits 6; else silent.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  tool.add_common_options(table, "print a line of JSON per fault");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto names, chosen_topics(*home, operands));
    Faults faults(tool);
    const auto report = [&](const Fault& fault) {
      (void)tool.print(fault_line(fault, tool.common().json));
      faults.add(kExitDamaged);
    };
    for (const auto& name : names) {
      const auto topic = describe_chosen(*home, name, !operands.empty(), faults);
      if (!topic) continue;
      PG_ASSIGN(const auto partitions,
                chosen_partitions(*topic, only, operands.empty() ? TopicNamed::no : TopicNamed::yes));
      for (const PartitionId p : partitions) {
        const auto totals = verify_partition(*home, *topic, p, tool.deadline(), report);
        if (!totals) {
          faults.add(totals.error());
          if (totals.error().code == Errc::io) faults.add(kExitDamaged);  // an unreadable file may be damaged
          continue;
        }
        tool.detail(fmt::format("'{}-{}': {} segments, {} batches, {} records, {} bytes, {} faults", name, p.value,
                                totals->segments, totals->batches, totals->records, totals->bytes, totals->faults));
      }
    }
    if (operands.empty()) {
      PG_ASSIGN(const auto strays, home->stray_partitions());
      for (const auto& stray : strays)
        report(
            {stray.directory, 0, Offset(0), "records of a partition that belongs to no topic: see 'pg-topic repair'"});
    }
    return faults.outcome();
  });
}

}  // namespace pg
