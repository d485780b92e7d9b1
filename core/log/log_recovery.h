// Recovery: what a partition's state is, worked out from its files alone, and the files mended to agree with it.
//
// It runs when the state page cannot be trusted: after a restart of the machine, or when somebody deleted or copied
// files. Nobody else appends or maps the page meanwhile. It reads CRC by CRC from the segment that holds the recovery
// point, and tells two things apart:
//
//  * A torn tail: the first bad byte lies at or above every offset that is known to have been kept (the recovery point,
//    and what the old page had published). Unsynced bytes survive a power cut in any subset, so the log ends there.
//    What lies beyond is moved to <base>.torn-<n> if it is not all zeros, made durable, and only then cut.
//  * Damage: the first bad byte lies below, or the recovery point is unknown. Every byte is kept where it is, readers
//    stop there, and the log goes on in a new segment whose base offset no record has ever had.
//
// A checkpoint that the log contradicts is damage too, and `corrupt` names its file: a log start above the end of the
// log, if no segment begins there and the last page does not have it either; a recovery point further away than damage
// can be.
//
// A batch that does not begin where the one before it ended is bad too, if the log is known to have no gaps (gaps.h):
// below the recovery point, unless the log directory's checkpoint says otherwise. Beyond the recovery point, recovery
// takes a gap for one that Kafka's cleaner left, and keeps what is behind it. Only a gap between two segments may be
// the work of a restart, if the last batches of the first segment had not reached the disk: that is a torn tail.
//
// Messages of Kafka's formats 0 and 1 are neither damage nor a torn tail: the partition cannot be opened, and nothing
// changes.
//
// Indexes of scanned segments are rebuilt, those of others only where their sizes cannot be right. Without a
// leader-epoch-checkpoint everything is read, since the epochs then come from the batches. Running it twice, or again
// after it was interrupted anywhere, gives the same log.
#pragma once

#include <optional>
#include <string>

#include "core/format/checkpoint_text.h"
#include "core/log/partition_state.h"
#include "core/os/env.h"

namespace pg {

struct RecoverySpec {
  std::string directory;
  std::string name;  // "orders-0", for notices
  Offset recovery_point;
  std::optional<Offset> log_start = Offset(0);  // empty: nobody knows, so it is the first offset there is
  int32_t index_interval_bytes = 4096;
  std::optional<Offset> gaps_below = Offset(0);  // offsets below it may be missing; empty: unknown
  bool flush_failed = false;                     // and the partition was not repaired
  bool replicated = false;                       // then epochs are opened by those who are elected, and by nobody else
  Offset high_watermark = {};                    // of a replicated one, as far as the disk tells
  bool stopped_cleanly = false;     // of a replicated one: its broker had flushed everything before the machine stopped
  std::string log_start_file = {};  // where the log start comes from, for messages
  std::string recovery_point_file = {};   // the same for the recovery point
  bool is_recovery_point_lost = false;    // it is unknown, so nothing may be cut
  bool are_lines_lost = false;            // what recovery finds is to be stored
  std::optional<PageMemory> memory = {};  // what the last page said, of whichever boot
  bool mends_checkpoints = false;         // repair: a value that the log contradicts is replaced
};

Result<PageContent> recover_log(const Env& env, const RecoverySpec& spec, const OldPage& old);

// The same end of the log, for a process that may only read: nothing is written and nothing is cut.
Result<PageContent> inspect_log(const Env& env, const RecoverySpec& spec, const OldPage& old = {});

// The partition's leader-epoch-checkpoint; empty where it is missing or damaged.
Result<EpochHistory> read_epoch_history(const Env& env, const std::string& directory);

// Rebuilds both indexes of a segment from its .log up to `position.segment_bytes`, and the fields of `position` that
// describe them. A sealed segment gets the closing time entry too.
Result<> rebuild_indexes(const Env& env, const std::string& directory, LogPosition& position,
                         int32_t index_interval_bytes, bool sealed);

}  // namespace pg
