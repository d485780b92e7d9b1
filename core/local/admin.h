// Topics as a whole: the home that holds them, and what can be said about a partition without reading its records.
// Making, listing and deleting topics are Home's own functions.
#pragma once

#include "core/local/consumer.h"
#include "core/log/compaction.h"
#include "core/store/home.h"

namespace pg {

struct PartitionDescription {
  PartitionId partition;
  PartitionMetadata metadata;
  LeaderEpoch leader_epoch;
  Offset log_start;
  Offset high_watermark;  // committed: what consumers may read, exclusive
  Offset last_stable;     // up to where readers of committed records get them: below it every transaction has ended
  Offset log_end;         // written
  Offset flushed;         // on stable storage
  int64_t segments = 0;
  int64_t bytes = 0;  // of the .log files
};

Result<PartitionDescription> describe_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                                Deadline deadline);

struct TrimResult {
  Offset log_start;  // from now on
  int64_t segments = 0;
  int64_t bytes = 0;  // that were given back
};

// Deletes the records below `to`, for good. A segment's space is given back when all of its records are deleted.
// out_of_range: above the high watermark.
Result<TrimResult> trim_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, const Place& to,
                                  Deadline deadline);

struct Maintenance {
  Offset log_start;
  PartitionLog::Removed deleted;  // by retention
  CompactionResult compacted;
};

// Does what the topic's cleanup.policy asks for, now: retention, and compaction where enough has come together.
// `trust_clock`: even if the wall clock has jumped ahead. Another process that is at it is no error.
Result<Maintenance> maintain_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                       bool trust_clock, Deadline deadline);

}  // namespace pg
