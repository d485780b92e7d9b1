// Retention: segments that retention.ms and retention.bytes no longer keep are deleted from the log's start.
//
// Only committed records may be deleted: others may yet be cut off and written again. So a segment goes when all of it
// is below the high watermark.
//
// A segment is as old as its latest record. The time index is asked first, but nothing is deleted on the word of an
// index: the batches have the last one. And nothing is deleted by a wall clock that has jumped ahead.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/log/partition_log.h"

namespace pg {

struct Segment {
  Offset base;
  Offset end;         // where the next one begins; of the active one, the log's end
  int64_t bytes = 0;  // of its .log
};

// All segments in order, the active one last, as they are at one moment.
Result<std::vector<Segment>> measure_segments(PartitionLog& log, PartitionState& state);

// Whether every record of a closed segment is older than `cutoff_ms`. A damaged segment is not, since nobody can tell.
Result<bool> is_older(PartitionLog& log, Offset base, int64_t cutoff_ms);

// The wall clock, if it can be believed: if, since it was last looked at, it has not gone on by a day more than the
// machine has run or slept. After a restart of the machine: since the partition's files were last touched. `trust`:
// believe it in any case, and from now on.
std::optional<int64_t> believed_wall_ms(const Env& env, StatePage& page, bool trust = false);

// What to say where it cannot be believed.
std::string clock_notice(const std::string& partition);

enum class ActiveSegmentToo { no, yes };  // yes: the active segment is closed first, if its records are to go too

// `now_ms`: a wall clock that is believed; empty: nothing is deleted for its age.
Result<PartitionLog::Removed> apply_retention(PartitionLog& log, std::optional<int64_t> now_ms, ActiveSegmentToo active,
                                              Deadline deadline);

}  // namespace pg
