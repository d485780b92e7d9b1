// What is left of a segment: its bytes divided into intact batches, batches that can be restored, and losses. Reads
// only.
#pragma once

#include <string>
#include <vector>

#include "core/format/checkpoint_text.h"
#include "core/log/gaps.h"
#include "core/os/file_system.h"

namespace pg {

struct RepairPiece {
  enum class Kind {
    intact,    // batches that stay as they are
    restored,  // one batch that gets its base offset `first` and its epoch back
    lost,
  };
  Kind kind = Kind::intact;
  uint64_t from = 0, to = 0;  // bytes of the .log
  Offset first, end;          // the offsets that they hold, or held
  std::string reason;         // why not intact
};

struct SegmentRepair {
  Offset base, end;  // the offsets it should hold
  std::vector<RepairPiece> pieces;

  bool is_intact() const;
  // Where all that ails the segment is that its last offsets are missing, they are no longer its own: a new segment
  // that stands for them is cheaper than writing this one anew. Returns where it then ends.
  Offset leave_out_missing_end();
};

// Divides bytes [0, limit) of `log`, which should hold the offsets from `base` to below `end`, but for `gaps`.
Result<SegmentRepair> plan_segment_repair(const File& log, uint64_t limit, Offset base, Offset end,
                                          const EpochHistory& epochs, const GapRule& gaps = {});

}  // namespace pg
