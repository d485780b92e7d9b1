// The health of each broker, judged by its lock, its heartbeat and its reports. The caller reads these signs and passes
// them in; nothing here touches a file or a clock.
//
// A heartbeat stands still for as long as an observer has watched it. An observer that was frozen itself, with the
// whole machine or alone, has watched nothing meanwhile, so it takes no broker for hung when it wakes.
#pragma once

#include <map>

#include "core/cluster/partition_plan.h"

namespace pg {

struct BrokerSigns {
  bool alive = false;  // its lock is held
  uint64_t heartbeat = 0;
  bool stopping = false;
  bool disk_full = false, disk_failed = false;
};

class HealthWatch {
 public:
  // A broker that has not run since the machine started gets this long from the first look on.
  static constexpr Duration kStartGrace = std::chrono::seconds(3);
  // Looks may lie this far apart and still count as watching.
  static constexpr Duration kLookApartMax = std::chrono::milliseconds(200);

  ClusterHealth look(const std::map<BrokerId, BrokerSigns>& signs, Duration session_timeout, Deadline now);

 private:
  struct Watched {
    uint64_t heartbeat = 0;
    Duration still{0};
  };
  BrokerHealth judge(const BrokerSigns& signs, Watched& watched, Duration session_timeout, Duration passed,
                     Deadline now) const;

  std::optional<Deadline> first_, last_;
  std::map<BrokerId, Watched> watched_;
};

}  // namespace pg
