// The configs of a cluster as a whole: Kafka's names and meanings. One table, as for topics.
#pragma once

#include <string_view>

#include "core/base/types.h"
#include "core/store/topic_config.h"

namespace pg {

struct ClusterConfig {
  Duration session_timeout;     // how long a broker may stand still before others take it for hung
  Duration heartbeat_interval;  // how often it shows that it does not
  Duration replica_lag_max;     // how long a replica may lack what the leader has and count as in sync
  bool rebalance_leaders;       // a partition goes back to its first replica when that is in sync again
};

// Checks one "name=value" and adds it to `config`.
Result<> add_cluster_config(ConfigMap& config, std::string_view assignment);
// The values in `config`, and the defaults of the others.
Result<ClusterConfig> to_cluster_config(const ConfigMap& config);

}  // namespace pg
