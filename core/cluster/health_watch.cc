#include "core/cluster/health_watch.h"

#include <algorithm>

namespace pg {

ClusterHealth HealthWatch::look(const std::map<BrokerId, BrokerSigns>& signs, Duration session_timeout, Deadline now) {
  if (!first_) first_ = now;
  const Duration passed = last_ ? std::min<Duration>(now - *last_, kLookApartMax) : Duration(0);
  last_ = now;
  ClusterHealth health;
  for (const auto& [broker, seen] : signs) health[broker] = judge(seen, watched_[broker], session_timeout, passed, now);
  return health;
}

BrokerHealth HealthWatch::judge(const BrokerSigns& signs, Watched& watched, Duration session_timeout, Duration passed,
                                Deadline now) const {
  if (!signs.alive) {
    watched = {signs.heartbeat, Duration(0)};
    return signs.heartbeat == 0 && now - *first_ < kStartGrace ? BrokerHealth::starting : BrokerHealth::dead;
  }
  watched.still = signs.heartbeat == watched.heartbeat ? watched.still + passed : Duration(0);
  watched.heartbeat = signs.heartbeat;
  if (watched.still > session_timeout) return BrokerHealth::hung;
  if (signs.disk_failed) return BrokerHealth::failed;
  if (signs.stopping) return BrokerHealth::stopping;
  return signs.disk_full ? BrokerHealth::full : BrokerHealth::running;
}

}  // namespace pg
