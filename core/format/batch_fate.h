// Whether a batch that one leader has written is in the log of a later one. Pure.
//
// Replicas keep offsets, and a log has the records of an epoch from that epoch's leader. So the later log has the batch
// if it left the batch's epoch at or above the batch's end. That holds also if compaction has rewritten the batch, or
// retention has deleted it, since only committed records are deleted. Sources: Apache Kafka, KIP-101, KIP-320.
#pragma once

#include <span>

#include "core/format/checkpoint_text.h"

namespace pg {

// A place at which a leader has written a batch, and the epoch of that leader.
struct WrittenBatch {
  LeaderEpoch epoch;
  Offset base, end;
};

// unknown: the log was copied after the batch's offsets had been deleted, and its history begins with a later epoch.
enum class BatchFate { there, missing, unknown };
BatchFate fate_of(const WrittenBatch& batch, const EpochHistory& log, Offset log_start, Offset log_end);

// A batch that was sent again after an election has several places, and an unclean election can bring back a log that
// holds it at an earlier one.
struct FoundBatch {
  BatchFate fate = BatchFate::missing;
  WrittenBatch place = {};  // there: which of its places it is
};
FoundBatch find_batch(std::span<const WrittenBatch> places, const EpochHistory& log, Offset log_start, Offset log_end);

}  // namespace pg
