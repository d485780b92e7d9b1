// The configs of a cluster as a whole: Kafka's names and meanings.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/store/config_table.h"

namespace pg {

// What brokers and the controller read of the cluster's configs.
struct ClusterConfig {
  Duration session_timeout = std::chrono::seconds(2);            // a broker without a heartbeat for so long hangs
  Duration heartbeat_interval = std::chrono::milliseconds(100);  // between two heartbeats of a broker
  Duration replica_lag_max = std::chrono::seconds(10);           // a replica that lags for longer is out of sync
  bool rebalance_leaders = true;  // a partition goes back to its first replica when that is in sync again

  bool operator==(const ClusterConfig&) const = default;
};

// Checks one "name=value" and adds it to `config`.
Result<> add_cluster_config(ConfigMap& config, std::string_view assignment);

// All configs of a cluster, sorted by name.
std::vector<ConfigDescription> describe_cluster_configs();

// The values in `config`, and the defaults of the others.
Result<ClusterConfig> to_cluster_config(const ConfigMap& config);

}  // namespace pg
