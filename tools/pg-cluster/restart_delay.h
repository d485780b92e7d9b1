// How long a broker that has ended is left alone before it is started again: longer each time, unless it had run well.
#pragma once

#include <algorithm>

#include "core/base/limits.h"

namespace pg {

class RestartDelay {
 public:
  // `ran`: how long the broker lived that has just ended.
  Duration after(Duration ran) {
    if (ran >= kRestartSettled) {
      next_ = kRestartDelayMin;
      return Duration(0);
    }
    const Duration delay = next_;
    next_ = std::min(2 * next_, kRestartDelayMax);
    return delay;
  }

 private:
  Duration next_ = kRestartDelayMin;
};

}  // namespace pg
