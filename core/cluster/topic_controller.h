// Carries out what the plan says for the partitions of one topic. Every step is repeatable: whoever dies or freezes
// between two of them leaves something from which the next controller goes on. What two controllers do at once is
// decided by the compare-and-swap of the topic's metadata.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/cluster/partition_plan.h"
#include "core/cluster/replica_log.h"

namespace pg {

// A topic as a controller reaches it.
class ControlledTopic {
 public:
  virtual ~ControlledTopic() = default;
  virtual Result<TopicMetadata> metadata() = 0;
  virtual Result<bool> replace(const TopicMetadata& changed) = 0;
  // nullptr: it cannot be reached.
  virtual ReplicaLog* replica(PartitionId partition, BrokerId broker) = 0;
};

class TopicController {
 public:
  // `tell` gets a line for people about each change.
  explicit TopicController(std::function<void(const std::string&)> tell = {}) : tell_(std::move(tell)) {}

  // One look at all partitions, and what follows from it. True: something was changed; look again.
  Result<bool> reconcile(ControlledTopic& topic, const ClusterHealth& health, const ClusterConfig& config,
                         Deadline now);

 private:
  std::function<void(const std::string&)> tell_;
  Uuid topic_id_{};
  std::map<PartitionId, PartitionMemory> memory_;
};

// What is known of one partition. The epoch of each replica's last record takes a file to read: only who elects without
// regard to what is in sync wants it of all.
PartitionView look_at(ControlledTopic& topic, const PartitionMetadata& metadata, PartitionId partition,
                      bool last_epochs = false);

// Makes one change, in the order that is safe. False: the metadata had changed meanwhile; look again.
struct PlannedAction {
  PartitionId partition;
  PartitionAction action;
};
Result<bool> carry_out(ControlledTopic& topic, const TopicMetadata& metadata,
                       const std::vector<PlannedAction>& actions);

}  // namespace pg
