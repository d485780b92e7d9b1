// How far a partition is done when its records finish in any order. A pure value.
//
// A record counts as done once all records before it are: what is finished above a gap may run again after a crash, and
// no record is ever skipped.
#pragma once

#include <deque>
#include <optional>

#include "core/base/types.h"

namespace pg {

class OffsetTracker {
 public:
  // A place up to which every record is finished.
  struct Committable {
    Offset offset;      // where to go on: the lowest unfinished record, or behind the last one
    LeaderEpoch epoch;  // of the last record before it
    bool operator==(const Committable&) const = default;
  };

  // In order; offsets may be left out.
  void deliver(Offset offset, LeaderEpoch epoch);
  // One that was delivered and is not finished.
  void finish(Offset offset);

  // Empty while the first record is unfinished.
  std::optional<Committable> committable() const;
  bool all_finished() const { return open_.empty(); }

 private:
  // A record that was handed out.
  struct Delivered {
    Offset offset;
    LeaderEpoch epoch;
    bool finished = false;
  };
  std::deque<Delivered> open_;  // from the lowest unfinished record on
  std::optional<Delivered> last_done_;
};

}  // namespace pg
