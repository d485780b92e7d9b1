// What a home is as a whole: its id, its brokers, its configs. Kept in cluster.json.v<n>.
#pragma once

#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/base/types.h"
#include "core/store/topic_config.h"

namespace pg {

struct BrokerMetadata {
  BrokerId id;
  std::string log_directory = {};  // absolute; empty: in the home
  bool operator==(const BrokerMetadata&) const = default;
};

struct ClusterMetadata {
  Uuid id{};
  std::vector<BrokerMetadata> brokers;  // ascending
  ConfigMap config = {};
  int64_t version = 0;
  bool read_only = false;  // as in TopicMetadata

  const BrokerMetadata* find(BrokerId broker) const {
    for (const auto& known : brokers) {
      if (known.id == broker) return &known;
    }
    return nullptr;
  }
};

}  // namespace pg
