// pg-topic repair --abort-transactions: ends transactions whose producers cannot return.
#include <fmt/format.h>

#include "core/local/transaction_admin.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

std::string transaction_line(const std::string& topic, PartitionId partition, const OpenTransaction& open,
                             int64_t now_ms, bool json) {
  if (!json) return fmt::format("{}\t{}\t{}\n", topic, partition.value, open.text(now_ms));
  return fmt::format(
      "{{\"topic\":\"{}\",\"partition\":{},\"producer_id\":{},\"producer_epoch\":{},\"first_offset\":{},\"timestamp\":{"
      "}}}\n",
      topic, partition.value, open.producer_id, open.producer_epoch, open.first_offset.value, open.since_ms);
}

}  // namespace

Result<ExitCode> abort_topic_transactions(const Tool& tool, const Home& home, const Arguments& names, int64_t only,
                                          bool yes) {
  bool any = false;
  for (const auto& name : names) {
    PG_ASSIGN(const auto topic, home.describe_topic(name));
    PG_ASSIGN(const auto partitions, chosen_partitions(topic, only, TopicNamed::yes));
    for (const PartitionId p : partitions) {
      PG_ASSIGN(const auto open, list_open_transactions(home, topic, p, tool.deadline()));
      any |= !open.empty();
      for (const auto& each : open)
        PG_CHECK(tool.print(transaction_line(name, p, each, tool.env().clock.wall_ms(), tool.common().json)));
      if (!yes || open.empty()) continue;
      PG_ASSIGN(const int64_t ended, abort_transactions(home, topic, p, open, tool.deadline()));
      tool.note(fmt::format("'{}-{}': aborted {} transactions", name, p.value, ended));
    }
  }
  if (!any) tool.note("no transaction is open");
  if (any && !yes)
    return fail(Errc::invalid_argument,
                "nothing was changed: this makes their records unreadable; add --yes to abort them");
  return kExitDone;
}

}  // namespace pg
