// When each record is due. That does not depend on the records before it, so a sender that falls behind is late, and
// its latencies show it. (Measured from when a record was sent, those that could not be sent meanwhile would be left
// out: "coordinated omission".)
#pragma once

#include <cstdint>

#include "core/os/clock.h"

namespace pg {

class Pacer {
 public:
  // `per_second`: of all `of` processes together, which take turns; 0: as fast as it goes, where a record is due when
  // it is asked for.
  Pacer(Clock& clock, Deadline start, double per_second, int64_t index, int64_t of)
      : clock_(clock), start_(start), per_second_(per_second), index_(index), of_(of) {}

  bool is_paced() const { return per_second_ > 0; }
  // When record `number` of this process, from 0 on, is due.
  Deadline due(int64_t number);
  // Returns at `due`, or at once where that has passed. The last bit of it is spent awake: a sleep ends some 60 us
  // late.
  void wait_until(Deadline due);

 private:
  Clock& clock_;
  Deadline start_;
  double per_second_;
  int64_t index_, of_;
  Deadline looked_{};
};

}  // namespace pg
