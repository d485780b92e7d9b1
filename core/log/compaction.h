// Compaction: of each key's records in the closed segments only the last one stays. Rules and configs are Kafka's.
//
// The cleaner checkpoint tells how far the log is clean: below it no key has two records. A run reads what lies above,
// up to the active segment, and remembers each key's last offset; then all segments from the first on are written again
// without what has a successor, small neighbours together, and take the place of the old ones. If there are more keys
// than memory is granted for, it goes on in another run. Readers are not disturbed; writers never wait.
//
// Only flushed records count as successors: a power cut must not take both a value and the one that replaced it.
//
// What was not cleaned does not count as cleaned. If trim or retention deletes segments during a run, the run begins
// again with those that are left: the checkpoint does not move and no later segment changes, since a tombstone there
// may stand for a value in the segment that was missed. If the log is cut or begins again during a run, the run ends.
#pragma once

#include "core/base/limits.h"
#include "core/log/partition_log.h"
#include "core/log/retention.h"

namespace pg {

struct CompactionResult {
  int64_t records = 0;   // that went
  int64_t segments = 0;  // how many fewer there are
  int64_t bytes = 0;     // how much smaller the log is
  std::string idle;      // why there was nothing to do, or why it was not finished; empty: it was done
};

// `now_ms`: a wall clock that is believed. `active`: whether the active segment may be closed if it holds enough new
// records. Nothing to do, or another process that compacts, is no error. corrupt: the log is damaged where it was to be
// read; nothing is lost by that, and what was cleaned before stays clean.
Result<CompactionResult> compact_log(PartitionLog& log, int64_t now_ms, Deadline deadline,
                                     size_t map_bytes_max = kCompactionMapBytes,
                                     ActiveSegmentToo active = ActiveSegmentToo::no);

}  // namespace pg
