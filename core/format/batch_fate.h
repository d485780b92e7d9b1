// Whether a batch that one leader has written is in the log of a later one. Pure.
//
// Replicas keep offsets, and a log that has records of an epoch has them from that epoch's leader. So the batch is there if the later
// log left the batch's epoch behind the batch; also where compaction has rewritten it, or retention deleted it, since only what is
// committed is deleted. Sources: Apache Kafka, KIP-101, KIP-320.
#pragma once

#include <span>

#include "core/format/checkpoint_text.h"

namespace pg {

struct WrittenBatch {
  LeaderEpoch epoch;
  Offset base, end;
};

// unknown: the log was copied after the batch's offsets had been deleted, and its history begins with a later epoch.
enum class BatchFate { there, missing, unknown };
BatchFate fate_of(const WrittenBatch& batch, const EpochHistory& log, Offset log_start, Offset log_end);

// A batch that was sent again after an election has several places, and an unclean election can bring back a log that holds it at
// an earlier one.
struct FoundBatch {
  BatchFate fate = BatchFate::missing;
  WrittenBatch place = {};  // there: which of its places it is
};
FoundBatch find_batch(std::span<const WrittenBatch> places, const EpochHistory& log, Offset log_start, Offset log_end);

}  // namespace pg
