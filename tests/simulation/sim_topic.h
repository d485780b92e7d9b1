// A topic as one process reaches it: what the controller's DiskTopic is.
#pragma once

#include <map>
#include <memory>

#include "core/cluster/topic_controller.h"
#include "tests/simulation/sim_replica.h"
#include "tests/simulation/world.h"

namespace pg::sim {

class SimTopic final : public ControlledTopic {
 public:
  SimTopic(World& world, const Process& process) : world_(world), process_(process) {}

  Result<TopicMetadata> metadata() override {
    step();
    return world_.topic;
  }

  Result<bool> replace(const TopicMetadata& changed) override {
    step();
    const bool first = world_.replace_topic(changed);
    if (!first) world_.note("{}: somebody else was first to change the metadata", process_.name());
    step();
    return first;
  }

  ReplicaLog* replica(PartitionId partition, BrokerId broker) override {
    auto& found = replicas_[{partition, broker}];
    if (!found) found = std::make_unique<SimReplica>(world_, process_, world_.place(partition, broker));
    return found.get();
  }

 private:
  World& world_;
  const Process& process_;
  std::map<std::pair<PartitionId, BrokerId>, std::unique_ptr<SimReplica>> replicas_;
};

}  // namespace pg::sim
