// Notices that the log at hand lacks records that its reader has passed: after an election a new leader may, and so may a log that
// recovery has cut (KIP-320). The reader asks before it reads, and of each batch; that costs a few loads, and the epoch history is read
// only where the log has another epoch, or was opened again, since it was read last.
#pragma once

#include "core/format/epoch_trail.h"
#include "core/log/partition_log.h"

namespace pg {

// Where a log, as it is now, ends for a reader that has passed `next` and knows that by `trail`: `next` where nothing is missing.
Result<Offset> shared_end(const PartitionLog& log, const EpochTrail& trail, Offset next);

class EpochGuard {
 public:
  EpochGuard() = default;
  // The reader begins at an offset that it knows of a log that was in `epoch`; -1: nobody knows.
  explicit EpochGuard(LeaderEpoch epoch) : trail_(epoch) {}
  // It begins in `log` as that is now, at an offset that it has. Nothing is read where that leads.
  void begin(const PartitionLog& log);
  // It goes on in another log of the same partition.
  void move() { compared_.reset(); }

  // Whether something has happened since the last comparison after which records may be missing. A replica that follows says nothing: who
  // leads is yet to be found.
  bool is_due(const PartitionLog& log, const PartitionState& state) const {
    return (!compared_ || *compared_ != Compared{log.openings(), state.leader_epoch()}) &&
           (!state.is_replicated() || state.leads_in(state.leader_epoch()));
  }
  // Whether the batch is of a later epoch than that: the log may have been cut and written again meanwhile.
  bool is_due(const BatchHeader& batch) const { return !compared_ || batch.leader_epoch > compared_->epoch; }

  // As shared_end(). Where that is lower, the reader goes on there.
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
  std::optional<Compared> compared_;  // none: the log at hand was not looked at
};

}  // namespace pg
