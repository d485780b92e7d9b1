// Which brokers get the replicas of a new partition. Pure, and the same for everybody who asks at the same time: two
// that make one topic at once must not differ.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/types.h"

namespace pg {

// Replicas of partition `partition`, the preferred leader first. `brokers`: ascending, at least `replication_factor` of
// them. As Kafka does it: leaders go round; so do followers, a step further each time round, so that those of one
// leader are spread.
std::vector<BrokerId> place_replicas(std::string_view topic, int32_t partition, int32_t replication_factor,
                                     const std::vector<BrokerId>& brokers);

}  // namespace pg
