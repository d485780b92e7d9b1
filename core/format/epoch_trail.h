// In which leader epochs a reader has read what it has read, to be compared with the log where it goes on: another leader's log, or one
// that was made anew, may lack some of it. Pure.
//
// A log that has records of an epoch has them from that epoch's leader, so at each offset the same. What the reader has of an epoch is
// there up to where the log left that epoch. An epoch that the log never had ends, with everything above, where the reader's part of it
// begins. Sources: Apache Kafka, KIP-320 and, for more than one epoch, KIP-279.
#pragma once

#include "core/format/checkpoint_text.h"

namespace pg {

class EpochTrail {
 public:
  // The reader begins at some offset of a log that was in `epoch` then; nothing is read yet. -1: nobody knows.
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
  // Of what was read last; before that, of the log where the reader began.
  LeaderEpoch epoch() const { return read_.empty() ? begun_ : read_.back().epoch; }

  // Up to where the reader, which goes on at `next`, has what a log with these epochs has: `next`, or lower where records that it has
  // passed are not in that log.
  Offset shared_end(const EpochHistory& log, Offset log_end, Offset next) const;

 private:
  LeaderEpoch begun_;
  EpochHistory read_;
};

}  // namespace pg
