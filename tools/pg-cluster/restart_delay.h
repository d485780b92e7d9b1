// How long a broker that has ended is left alone before it is started again. One that dies as soon as it starts must not keep the
// machine busy; one that had worked should be back soon, however often that happens. So the pause is doubled each time, and is
// short again once a broker has run for ten times its last pause.
#pragma once

#include <algorithm>

#include "core/base/limits.h"

namespace pg {

class RestartDelay {
 public:
  // `ran`: how long the broker lived that has just ended.
  Duration after(Duration ran) {
    pause_ = ran >= kRestartPausesToSettle * pause_ ? kRestartDelayMin : std::min(2 * pause_, kRestartDelayMax);
    return pause_;
  }

 private:
  Duration pause_{0};
};

}  // namespace pg
