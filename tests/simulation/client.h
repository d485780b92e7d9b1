// A process of the simulation that works on the logs of leaders.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/simulation/sim_replica.h"
#include "tests/simulation/world.h"

namespace pg::sim {

class Client {
 public:
  Client(World& world, std::string name) : world_(world), process_(world.scheduler, std::move(name)) {}
  virtual ~Client() = default;
  Process& process() { return process_; }

 protected:
  // The replica of the partition's leader, as the metadata names it.
  SimReplica& leader(PartitionId partition);
  PartitionId any_partition();
  // A page that a process has mapped cannot be rebuilt. So a client that cannot go on with one partition lets go of the
  // others: a real producer would end.
  void let_go_of_others(PartitionId partition) {
    std::erase_if(replicas_, [&](const auto& entry) { return entry.first != partition; });
  }
  // At the end.
  void let_go() { replicas_.clear(); }

  World& world_;

 private:
  std::map<PartitionId, std::unique_ptr<SimReplica>> replicas_;

 protected:
  Process process_;  // the last member: its fibers end before what they use
};

}  // namespace pg::sim
