// pg-cluster status, health.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/local/cluster_admin.h"
#include "core/os/signals.h"
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kHealthLookInterval = std::chrono::milliseconds(50);

std::string to_json(const BrokerDescription& broker) {
  Json json = {{"broker", broker.broker.value}, {"state", broker.state}};
  json["pid"] = broker.pid == 0 ? Json() : Json(broker.pid);
  json["log_dir"] = broker.log_directory;
  json["since"] = broker.since_ms ? Json(*broker.since_ms) : Json();
  json["controller"] = broker.is_controller;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const BrokerDescription& broker) {
  return fmt::format("broker {}  {}  since {}  {}  log directory {}{}\n", broker.broker.value, broker.state,
                     broker.since_ms ? rfc3339_utc(*broker.since_ms) : "-",
                     broker.pid == 0 ? "no process" : fmt::format("process {}", broker.pid), broker.log_directory,
                     broker.is_controller ? "  controller" : "");
}

// What is wrong with a partition; empty if nothing is.
std::string fault_of(const PartitionHealth& partition) {
  if (!partition.offline && partition.missing.empty()) return "";
  std::string missing;
  for (const BrokerId broker : partition.missing)
    missing += fmt::format("{}{}", missing.empty() ? "" : ",", broker.value);
  return fmt::format("{}-{}  {}  leader {}  epoch {}{}\n", partition.partition.topic,
                     partition.partition.partition.value, partition.offline ? "offline" : "under-replicated",
                     partition.leader.value, partition.leader_epoch.value,
                     missing.empty() ? "" : "  not in sync " + missing);
}

// A line for each broker that does not run and each partition that lacks a replica.
Result<std::string> faults_of(const Home& home) {
  PG_ASSIGN(const auto brokers, describe_brokers(home));
  PG_ASSIGN(const auto partitions, describe_partition_health(home));
  std::string faults;
  for (const auto& broker : brokers) {
    // One broker alone is none that anybody has to run.
    if (broker.state != "running" && brokers.size() > 1) faults += to_text(broker);
  }
  for (const auto& partition : partitions) faults += fault_of(partition);
  return faults;
}

}  // namespace

int cluster_status(const Arguments& arguments) {
  Tool tool("pg-cluster status");
  OptionTable table("pg-cluster status", "",
                    "Prints a line for each broker, and one for each partition that lacks a replica or is offline.");
  tool.add_common_options(table, "print a line of JSON per broker, and nothing else");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto brokers, describe_brokers(*home));
    std::string out;
    for (const auto& broker : brokers) out += tool.common().json ? to_json(broker) : to_text(broker);
    if (!tool.common().json) {
      PG_ASSIGN(const auto partitions, describe_partition_health(*home));
      for (const auto& partition : partitions) out += fault_of(partition);
    }
    return tool.print(out).map([] { return kExitDone; });
  });
}

int cluster_health(const Arguments& arguments) {
  Tool tool("pg-cluster health");
  bool wait = false;
  OptionTable table("pg-cluster health", "",
                    "Ends with 0 if every broker runs and every replica is in sync, else with 8, and says what is not "
                    "as it should be.");
  table.flag("--wait", wait, "wait until it is, for as long as --timeout says");
  tool.add_common_options(table, "", "how long --wait waits (default 30s)");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    catch_stop_signals();
    const Deadline deadline = tool.deadline();
    for (;;) {
      PG_ASSIGN(const std::string faults, faults_of(*home));
      if (faults.empty()) return kExitDone;
      if (wait && tool.env().clock.now() < deadline && stop_signal() == 0) {
        tool.env().clock.wait({}, kHealthLookInterval);
        continue;
      }
      return tool.print(faults).map([] { return kExitCondition; });
    }
  });
}

}  // namespace pg
