// How long a broker that has ended is left alone before it is started again. One that fails as soon as it starts must
// not keep the machine busy: its pause is doubled each time. One that had worked for a moment, or that somebody killed,
// should be back soon, however often that happens: with two of three brokers away, partitions stand still.
#pragma once

#include <algorithm>

#include "core/base/limits.h"

namespace pg {

class RestartDelay {
 public:
  // `ran`: how long the broker lived that has just ended. `killed`: by SIGKILL, which no program sends itself.
  Duration after(Duration ran, bool killed) {
    const bool first = pause_ == Duration(0);
    pause_ = first || killed || ran >= kRestartSettled ? kRestartDelayMin : std::min(2 * pause_, kRestartDelayMax);
    return pause_;
  }

 private:
  Duration pause_{0};
};

}  // namespace pg
