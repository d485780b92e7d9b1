// pg-cluster elect, locks, verify.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/local/cluster_admin.h"
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

struct Chosen {
  TopicMetadata topic;
  std::vector<PartitionId> partitions;
};

// The named topics, or all of them; of each the partition that was asked for, or all.
Result<std::vector<Chosen>> choose(const Home& home, std::vector<std::string> names, int64_t only) {
  if (names.empty()) {
    PG_ASSIGN(names, home.list_topics());
  }
  std::vector<Chosen> all;
  for (const auto& name : names) {
    Chosen chosen;
    PG_ASSIGN(chosen.topic, home.describe_topic(name));
    for (int32_t p = 0; std::cmp_less(p, chosen.topic.partitions.size()); ++p) {
      if (only < 0 || p == only) chosen.partitions.emplace_back(p);
    }
    if (only >= 0 && chosen.partitions.empty())
      return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", name, only));
    all.push_back(std::move(chosen));
  }
  return all;
}

std::string to_json(const HeldLockDescription& lock) {
  const Json json = {{"lock", lock.what},
                     {"pid", lock.pid ? Json(*lock.pid) : Json()},
                     {"since", lock.since_ms ? Json(*lock.since_ms) : Json()},
                     {"path", lock.path}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const HeldLockDescription& lock, int64_t now_ms) {
  const std::string process = lock.pid ? fmt::format("process {}", *lock.pid) : "process unknown";
  const std::string held =
      lock.since_ms
          ? fmt::format("for {:.1f} s", static_cast<double>(std::max<int64_t>(0, now_ms - *lock.since_ms)) / 1000)
          : "since when is unknown";
  return fmt::format("{}  {}  {}\n", lock.what, process, held);
}

}  // namespace

int cluster_elect(const Arguments& arguments) {
  Tool tool("pg-cluster elect");
  int64_t only = -1;
  bool unclean = false, lose = false;
  OptionTable table("pg-cluster elect", "[TOPIC...]",
                    "Gives each partition back to its preferred leader, if that is in sync.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  table.flag("--unclean", unclean,
             "where no replica leads, elect the one with the most records, although others had more");
  table.flag("--yes-lose-data", lose, "really do that: what the new leader lacks is lost");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    if (lose && !unclean) return fail(Errc::invalid_argument, "--yes-lose-data goes with --unclean");
    if (unclean && !lose)
      return fail(Errc::invalid_argument, "this may lose acknowledged records: add --yes-lose-data");
    if (unclean && names.empty()) return fail(Errc::invalid_argument, "name the topics: records of them may be lost");
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto all, choose(*home, names, only));
    ExitCode outcome = kExitDone;
    for (const auto& chosen : all) {
      for (const PartitionId partition : chosen.partitions) {
        const auto elected = elect_leader(*home, chosen.topic, partition, unclean, tool.deadline());
        if (!elected) {
          tool.error(elected.error().message());
          outcome = std::max(outcome, exit_code(elected.error().code));
        } else if (*elected) {
          tool.detail(fmt::format("broker {} leads '{}-{}' (epoch {})", (*elected)->leader.value, chosen.topic.name,
                                  partition.value, (*elected)->leader_epoch.value));
        }
      }
    }
    return outcome;
  });
}

int cluster_locks(const Arguments& arguments) {
  Tool tool("pg-cluster locks");
  OptionTable table("pg-cluster locks", "",
                    "Prints which locks of brokers and partitions are held now, by which process, and since when.");
  tool.add_common_options(table, "print a line of JSON per lock");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto locks, describe_locks(*home));
    std::string out;
    for (const auto& lock : locks)
      out += tool.common().json ? to_json(lock) : to_text(lock, tool.env().clock.wall_ms());
    return tool.print(out).map([] { return kExitDone; });
  });
}

int cluster_verify(const Arguments& arguments) {
  Tool tool("pg-cluster verify");
  int64_t only = -1;
  OptionTable table("pg-cluster verify", "[TOPIC...]",
                    "Compares the replicas of each TOPIC, or of every topic, up to the high watermark.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& names) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto all, choose(*home, names, only));
    int64_t faults = 0;
    Result<> printed;
    const auto report = [&](const std::string& line) {
      if (printed) printed = tool.print(line + "\n");
    };
    for (const auto& chosen : all) {
      for (const PartitionId partition : chosen.partitions) {
        PG_ASSIGN(const int64_t found, compare_replicas(*home, chosen.topic, partition, tool.deadline(), report));
        PG_CHECK(printed);
        faults += found;
      }
    }
    return faults == 0 ? kExitDone : kExitDamaged;
  });
}

}  // namespace pg
