// Offsets that are missing from a log although nothing is wrong with it.
//
// Our own writers append without gaps, and our compaction leaves an empty batch for what it removes. In such a log a
// gap is damage; and since the base offset lies outside Kafka's CRC, only a gap shows that a base offset was damaged.
// Kafka's cleaner drops batches that lost all their records, and whole ranges between segments. So a log that was
// copied in may have gaps, and so has everything that is copied from it.
//
// Each partition has one offset, below which gaps may lie. It is in the state page and in the log
// directory's checkpoint. From there up to the recovery point, or to the end of a log whose page is trusted, there are
// no gaps. Beyond that gaps are possible, and recovery accepts those that it finds.
#pragma once

#include <cstdint>
#include <limits>

#include "core/log/batch_scanner.h"

namespace pg {

struct GapRule {
  Offset below;                                             // gaps may lie below it
  Offset known_below{std::numeric_limits<int64_t>::max()};  // from `below` up to here there are none

  // Whether offsets from `expected`, where a batch or segment ended, to below `next`, where one begins, may be missing.
  bool allows(Offset expected, Offset next) const {
    return expected < next && (next <= below || expected >= known_below);
  }
  // Whether what begins at `next` may follow what ended at `expected`.
  bool follows(Offset expected, Offset next) const { return expected == next || allows(expected, next); }
};

// The base offset of the batch at byte `position` of the segment. At `limit`, the end of the segment, it is
// `segment_end`. Empty if no batch can be read.
Result<std::optional<Offset>> next_base_offset(const File& log, uint64_t position, uint64_t limit, Offset segment_end);

// Whether a batch behind a gap can have its base offset: it lies within the segment, and the next batch begins at or
// above its end. `limit` and `segment_end` are those of the segment.
Result<bool> is_plausible(const File& log, const ScannedBatch& batch, uint64_t limit, Offset segment_base,
                          Offset segment_end);

}  // namespace pg
