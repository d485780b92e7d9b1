// Sets of brokers, as the metadata has them: short lists.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/types.h"

namespace pg {

inline bool is_in(const std::vector<BrokerId>& brokers, BrokerId broker) {
  return std::find(brokers.begin(), brokers.end(), broker) != brokers.end();
}

}  // namespace pg
