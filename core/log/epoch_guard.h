// Notices that a log lacks records that its reader has passed: a new leader may lack them after an election, and so may
// a log that recovery has cut (KIP-320). The reader asks before it reads, and again for each batch. That costs a few
// loads. The guard reads the epoch history only if the log has another epoch, or was opened again, since the last
// comparison.
#pragma once

#include "core/format/epoch_trail.h"
#include "core/log/partition_log.h"

namespace pg {

// Up to where a log, as it is now, has the records that a reader with this `trail` has passed: `next` if none is
// missing.
Result<Offset> shared_end(const PartitionLog& log, const EpochTrail& trail, Offset next);

class EpochGuard {
 public:
  EpochGuard() = default;
  // The reader begins at an offset of a log that was in `epoch` then; -1: unknown.
  explicit EpochGuard(LeaderEpoch epoch) : trail_(epoch) {}
  // The reader begins in `log` as it is now, at an offset that the log has. If the log leads, nothing is read.
  void begin(const PartitionLog& log);
  // The reader goes on in another log of the same partition.
  void move() { compared_.reset(); }

  // Whether records may be missing because of something that has happened since the last comparison. A follower tells
  // nothing: the reader has to find the leader first.
  bool is_due(const PartitionLog& log, const PartitionState& state) const {
    return (!compared_ || *compared_ != Compared{log.openings(), state.leader_epoch()}) &&
           (!state.is_replicated() || state.leads_in(state.leader_epoch()));
  }
  // Whether the batch is of a later epoch than the last comparison: the log may have been cut and written again since.
  bool is_due(const BatchHeader& batch) const { return !compared_ || batch.leader_epoch > compared_->epoch; }

  // As shared_end(). If the result is lower than `next`, the reader goes on there.
  Result<Offset> compare(const PartitionLog& log, Offset next);
  // The reader has passed this batch, or has begun in it at `from`.
  void read(const BatchHeader& batch, Offset from) { trail_.read(batch.leader_epoch, from); }

  LeaderEpoch epoch() const { return trail_.epoch(); }

 private:
  struct Compared {
    int64_t openings;
    LeaderEpoch epoch;
    bool operator==(const Compared&) const = default;
  };
  EpochTrail trail_;
  std::optional<Compared> compared_;  // none: this log was not compared yet
};

}  // namespace pg
