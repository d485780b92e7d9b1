// What people ask of a cluster: make it, run a broker of it, see how it is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/store/cluster_config.h"
#include "core/store/home.h"

namespace pg {

// Runs broker `id` in this process, until `must_stop`. `tell` gets lines for people, from any thread. Errors: not_found,
// busy (another process is this broker), already_exists (the log directory is another broker's).
Result<> run_broker(Home& home, BrokerId id, const std::function<void(const std::string&)>& tell, const std::function<bool()>& must_stop);

struct BrokerDescription {
  BrokerId broker;
  std::string state;        // "running", "hung", "failed", "dead", ...
  int32_t pid = 0;          // 0: does not run
  std::string log_directory;
  std::optional<int64_t> since_ms;  // when that state was noticed, by the wall clock
  bool is_controller = false;
};
Result<std::vector<BrokerDescription>> describe_brokers(const Home& home);

struct PartitionHealth {
  TopicPartition partition;
  BrokerId leader;
  LeaderEpoch leader_epoch;
  bool offline = false;                // nobody can write to it
  std::vector<BrokerId> missing = {};  // replicas that are not in sync
};
// Every partition with more than one replica, and those with one whose log cannot be reached.
Result<std::vector<PartitionHealth>> describe_partition_health(const Home& home);

}  // namespace pg
