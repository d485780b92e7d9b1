// The leader epochs of what a reader has read. The reader compares them with the log in which it goes on: another
// leader's log, or one that recovery has cut, may lack some of these records. Pure.
//
// A log has the records of an epoch from that epoch's leader, so two logs have the same record at each offset of an
// epoch. The log has the reader's records of an epoch up to where the log left that epoch. If the log never had the
// epoch, it lacks them all, and all later ones. Sources: Apache Kafka, KIP-320 and, for more than one epoch, KIP-279.
#pragma once

#include "core/format/checkpoint_text.h"

namespace pg {

class EpochTrail {
 public:
  // The reader begins at some offset of a log that was in `epoch` then, and has read nothing yet. -1: unknown.
  explicit EpochTrail(LeaderEpoch epoch = LeaderEpoch(-1)) : begun_(epoch) {}

  // A batch was read that begins at `first`.
  void read(LeaderEpoch epoch, Offset first) {
    if (read_.empty() || epoch > read_.back().epoch) read_.push_back({epoch, first});
  }
  // The reader goes back to `end`, in a log that is in `epoch`.
  void cut(Offset end, LeaderEpoch epoch) {
    while (!read_.empty() && read_.back().start_offset >= end) read_.pop_back();
    if (read_.empty()) begun_ = epoch;
  }
  // The epoch of the last batch that was read; before that, of the log where the reader began.
  LeaderEpoch epoch() const { return read_.empty() ? begun_ : read_.back().epoch; }

  // Up to where a log with these epochs has the records that the reader, which goes on at `next`, has passed: `next`,
  // or lower if some of them are not in that log.
  Offset shared_end(const EpochHistory& log, Offset log_end, Offset next) const;

 private:
  LeaderEpoch begun_;
  EpochHistory read_;
};

}  // namespace pg
