// Repair: a damaged partition made whole again, at the price of the records that are lost anyway.
//
// What is intact stays where it is in the order of offsets. For each range of offsets whose records are gone a batch
// without records takes their place, so that the log has no gap and every record keeps its offset. The damaged bytes go
// to <base>.damaged-<n> first. A batch whose records are intact and whose base offset or leader epoch is not (they lie
// outside its CRC) gets them back, where the batches around it leave no doubt.
//
// A segment is replaced whole: written under another name, made durable, renamed. A repair that is interrupted has lost
// nothing, and is run again. A partition that is offline since a flush failed is copied to new files in the same way,
// from the flushed offset on: what the kernel holds of it is intact, but it will not write those pages again.
#pragma once

#include <functional>
#include <string>

#include "core/log/partition_log.h"

namespace pg {

// One place that is not as it should be.
struct RepairItem {
  std::string path;
  uint64_t position = 0;
  uint64_t bytes = 0;   // of a log that are no record, and go to a side file
  Offset first, end;    // the offsets concerned; first == end: none
  bool is_lost = true;  // false: can be restored, as a batch's header or an index
  std::string reason;
};

struct RepairTotals {
  int64_t lost_offsets = 0;
  int64_t restored = 0;            // batches, indexes and other files that can be had back whole
  int64_t rewritten_segments = 0;  // damaged, or offline
  bool is_offline = false;         // a flush failed
  bool nothing_to_do() const { return rewritten_segments == 0 && restored == 0 && !is_offline; }
};

// Without `apply` nothing is changed: what would be done is reported and counted. With it, nobody may have the
// partition open. Errors: busy, no_space (nothing is lost then), and whatever keeps the files from being read.
Result<RepairTotals> repair_log(const Env& env, const PartitionLog::Spec& spec, bool apply, Deadline deadline,
                                const std::function<void(const RepairItem&)>& report);

}  // namespace pg
