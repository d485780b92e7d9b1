#include "core/client/cluster_admin.h"

#include <algorithm>

#include "core/cluster/broker.h"
#include "core/cluster/controller.h"
#include "core/format/path_names.h"

namespace pg {

Result<> run_broker(Home& home, BrokerId id, const std::function<void(const std::string&)>& tell, const std::function<bool()>& must_stop) {
  PG_ASSIGN(const auto broker, Broker::open(home, id, tell));
  tell("runs");
  return broker->run(must_stop);
}

Result<std::vector<BrokerDescription>> describe_brokers(const Home& home) {
  PG_ASSIGN(const ClusterMetadata cluster, home.describe_cluster());
  PG_ASSIGN(const ControllerMetadata controller, read_controller(home));
  const auto signs = read_signs(home);
  const auto state = home.cluster_state();
  std::vector<BrokerDescription> brokers;
  for (const auto& broker : cluster.brokers) {
    BrokerDescription described{broker.id, "dead", 0, home.log_directory(broker.id), {}, broker.id == controller.broker};
    const BrokerSigns& seen = signs.at(broker.id);
    BrokerHealth health = !seen.alive           ? BrokerHealth::dead
                          : seen.disk_failed    ? BrokerHealth::failed
                          : seen.stopping       ? BrokerHealth::stopping
                          : seen.disk_full      ? BrokerHealth::full
                                                : BrokerHealth::running;
    if (state) {
      const BrokerSlot& slot = state->broker(broker.id);
      const uint32_t noticed = slot.noticed.load();
      // Whether one hangs takes a while to see: the controller has watched.
      const bool hung = noticed == static_cast<uint32_t>(BrokerHealth::hung) + 1;
      if (seen.alive && hung) health = BrokerHealth::hung;
      if (seen.alive) described.pid = slot.pid.load();
      if (noticed == static_cast<uint32_t>(health) + 1) described.since_ms = slot.noticed_ms.load();
    }
    described.state = name_of(health);
    described.is_controller &= seen.alive;
    brokers.push_back(std::move(described));
  }
  return brokers;
}

Result<std::vector<PartitionHealth>> describe_partition_health(const Home& home) {
  PG_ASSIGN(const auto names, home.list_topics());
  std::vector<PartitionHealth> all;
  for (const auto& name : names) {
    const auto topic = home.describe_topic(name);
    if (!topic) continue;  // deleted meanwhile
    for (size_t p = 0; p < topic->partitions.size(); ++p) {
      const PartitionMetadata& metadata = topic->partitions[p];
      PartitionHealth health{{name, PartitionId(static_cast<int32_t>(p))}, metadata.leader, metadata.leader_epoch};
      const std::string directory = names::partition_directory(home.log_directory(metadata.leader), health.partition);
      health.offline = !home.env().files.info(directory);
      if (metadata.is_replicated()) health.offline |= !home.is_broker_alive(metadata.leader).value_or(false);
      for (const BrokerId replica : metadata.replicas) {
        const bool in = std::find(metadata.in_sync.begin(), metadata.in_sync.end(), replica) != metadata.in_sync.end();
        if (!in) health.missing.push_back(replica);
      }
      all.push_back(std::move(health));
    }
  }
  return all;
}

}  // namespace pg
