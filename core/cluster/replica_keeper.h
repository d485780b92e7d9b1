// Keeps one replica of a broker's as the metadata wants it: it leads, or it follows whoever leads. The broker calls
// step() again and again; each step may be the last one of a process that dies or freezes there, and the next one goes
// on from what it finds.
//
// Following is pull, as in Kafka: it reads the leader's log from its own end and appends the same bytes. What makes it
// safe, with the log of a leader that may be no leader any more by the time it was read:
//
//  * it stores the new epoch before it cuts anything, so no follower of it takes what comes then for the old epoch's;
//  * it looks at the leader's epoch after it has read and before it appends.
#pragma once

#include <optional>

#include "core/cluster/epoch_cut.h"
#include "core/cluster/replica_log.h"
#include "core/store/home.h"

namespace pg {

class ReplicaKeeper {
 public:
  // Borrows `mine`.
  ReplicaKeeper(BrokerId self, ReplicaLog& mine) : self_(self), mine_(mine) {}

  // What others may have for the replica in this step.
  struct Others {
    ReplicaLog* leader = nullptr;    // of metadata.leader, if it is another broker
    ReplicaLog* previous = nullptr;  // of metadata.previous_leader, if it is another broker
  };
  // True: something was done, and there may be more to do.
  Result<bool> step(const PartitionMetadata& metadata, int32_t min_in_sync, const Others& others);

  // The replica is about to be emptied: what it has told a leader no longer holds.
  Result<> withdraw(const PartitionMetadata& metadata, ReplicaLog& leader);
  // Whether it follows, and up to which epoch it has told the leader what it has.
  std::optional<LeaderEpoch> aligned() const { return aligned_; }

 private:
  Result<bool> lead(const PartitionMetadata& metadata, int32_t min_in_sync, ReplicaLog* previous);
  Result<> copy_rest(ReplicaLog& previous, LeaderEpoch epoch);
  Result<bool> follow(const PartitionMetadata& metadata, ReplicaLog& leader);
  Result<bool> align(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot);
  Result<> keep_common(const EpochLog& leaders, Offset leaders_start, bool committed_too);
  Result<bool> fetch(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot);
  Result<> append_from(const ScannedBatch& batch, Offset next, LeaderEpoch epoch);
  Result<> append_rest(const BatchHeader& header, Offset next, LeaderEpoch epoch);
  Result<> take_high_watermark(ReplicaLog& leader, LeaderEpoch epoch);
  Result<bool> flush_as_wanted(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot);

  BrokerId self_;
  ReplicaLog& mine_;
  std::optional<LeaderEpoch> aligned_;
  Offset whole_at_;  // what the leader had when it was aligned: with all of that it is unclean no more
};

}  // namespace pg
