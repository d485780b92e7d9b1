// What a broker does as the controller, or to become it. The controller is the broker that the newest version of
// controller.json names. A broker that finds it ended, hung or failed writes the next version, which names that broker.
// No lock is held for it: a process that is stopped cannot keep the others out, and of two brokers that try at once one
// is first. A former controller that goes on does no harm: see topic_controller.h. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/cluster/disk_replica.h"
#include "core/cluster/health_watch.h"
#include "core/cluster/topic_controller.h"
#include "core/cluster/topic_list.h"
#include "core/store/versioned_file.h"

namespace pg {

struct ControllerMetadata {
  int64_t epoch = 0;  // the version of the file; 0: there was none yet
  BrokerId broker = kNoBroker;
};
Result<ControllerMetadata> read_controller(const Home& home);

// What can be seen of every broker now.
std::map<BrokerId, BrokerSigns> read_signs(const Home& home);

// A topic's metadata and its replicas on their disks. Borrows `home`.
class DiskTopic final : public ControlledTopic {
 public:
  DiskTopic(const Home& home, std::string name) : home_(home), name_(std::move(name)) {}

  Result<TopicMetadata> metadata() override;
  Result<bool> replace(const TopicMetadata& changed) override { return home_.replace_topic(changed); }
  ReplicaLog* replica(PartitionId partition, BrokerId broker) override;

 private:
  const Home& home_;
  const std::string name_;
  TopicMetadata known_;
  std::map<std::pair<PartitionId, BrokerId>, std::unique_ptr<DiskReplica>> replicas_;
};

class Controller {
 public:
  static constexpr Duration kLookInterval = std::chrono::milliseconds(20);

  // Borrows `home`.
  Controller(const Home& home, BrokerId self, std::function<void(const std::string&)> tell);
  ~Controller();

  // One look; acts if this broker is the controller, or should be.
  Result<> turn();

 private:
  Result<bool> is_mine(const ClusterHealth& health);
  Result<> control(const std::string& name, const ClusterHealth& health, const ClusterConfig& config);
  void note_health(const ClusterHealth& health);

  const Home& home_;
  const BrokerId self_;
  std::function<void(const std::string&)> tell_;
  HealthWatch watch_;
  ClusterHealth noted_;
  TopicList topics_;
  struct Controlled;
  std::map<std::string, std::unique_ptr<Controlled>> controlled_;
};

}  // namespace pg
