// What people ask of a cluster: make it, run a broker of it, see how it is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/cluster/broker.h"
#include "core/store/cluster_config.h"
#include "core/store/home.h"

namespace pg {

// Runs broker `id` in this process, until `must_stop`. `tell` gets lines for people, from any thread. Errors:
// not_found, busy (another process is this broker), already_exists (the log directory is another broker's).
Result<> run_broker(Home& home, BrokerId id, Supervised supervised, const std::function<void(const std::string&)>& tell,
                    const std::function<bool()>& must_stop);

struct BrokerDescription {
  BrokerId broker;
  std::string state;  // "running", "hung", "failed", "dead", ...
  int32_t pid = 0;    // 0: does not run
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

// An election that an operator asks for. Without `unclean`: the preferred leader gets the partition back, if it is in
// sync. With it, of a partition without a leader: the replica with the longest log becomes the leader, and the records
// that it lacks are lost. Empty: there was nothing to do. Errors: busy (no preferred leader in sync; no replica that
// could lead; or one that lacks nothing is about to), not_found.
Result<std::optional<PartitionMetadata>> elect_leader(const Home& home, const TopicMetadata& topic,
                                                      PartitionId partition, bool unclean, Deadline deadline);

// Which process holds which lock of a partition or a broker.
struct HeldLockDescription {
  std::string what;                 // "append lock of orders-0"
  std::optional<int32_t> pid;       // none: it is in another pid namespace, or may not be looked at
  std::optional<int64_t> since_ms;  // by the wall clock
  std::string path;
};
Result<std::vector<HeldLockDescription>> describe_locks(const Home& home);

// Where replicas of a partition differ, from the higher log start to the high watermark: one line each. Of a compacted
// topic the last value of each key counts.
Result<int64_t> compare_replicas(const Home& home, const TopicMetadata& topic, PartitionId partition, Deadline deadline,
                                 const std::function<void(const std::string&)>& report);

}  // namespace pg
