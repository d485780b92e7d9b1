// What contradicts a state page, as far as it can be seen without reading the log.
//
// Processes write the page through a map, and nothing waits until the disk has it. So it may be older than its files
// although the machine has not restarted: the file system stopped and was mounted again, a snapshot was rolled back,
// somebody copied or restored files. With such a page a writer would cut off whole records. Each of these contradicts a
// page:
//
//  * the active segment's .log is another file than the one that was published;
//  * a segment begins where the log is said to end, and no process is making it;
//  * a segment begins behind the last one, which has no records;
//  * the log is said to end below its recovery point, below which everything was synced;
//  * the log is said to start below its log start checkpoint: then it is enough to raise the start;
//  * whole batches lie behind the end, except a single one that fits there: a writer may have died before it published.
#pragma once

#include <string>

#include "core/format/record_batch.h"
#include "core/log/state_page.h"
#include "core/os/env.h"

namespace pg {

struct PartitionFiles {
  std::string directory;
  std::string log_directory;
  TopicPartition partition;
};

struct PageLook {
  std::string fault;                     // which of the first four it is; empty: none
  bool has_tail = false;                 // the active .log is longer than was published
  std::optional<Offset> log_start = {};  // where its checkpoint says that the log starts, if the page says less
  uint64_t checkpoints = 0;              // those that were compared, for StatePage::checkpoints
  uint64_t directory = 0;                // the one that was listed, for StatePage::directory; 0: none
};

// What the first and the fourth of them say, for people.
inline constexpr const char* kOtherFile = "its last segment is another file than it was";
std::string ends_below_recovery_point(Offset log_end);

// Compares names, sizes and ages. Without the append lock it may see a writer at work.
Result<PageLook> look_at_files(const Env& env, const PartitionFiles& files, const StatePage& page,
                               const LogPosition& position);

// A number for the checkpoints of recovery points and log starts as they are now, for StatePage::checkpoints.
Result<uint64_t> checkpoint_versions(FileSystem& files, const std::string& log_directory);

// A number for one file: another file that takes its name has another one.
uint64_t file_number(const FileInfo& info);

enum class Tail {
  none,
  torn,   // no whole batch: a write that did not end
  batch,  // one batch, which fits behind the end
  more,   // whole batches that a single writer cannot have left
};

// What lies behind the end that was published. Needs the append lock, or a writer may be at work.
struct TailLook {
  Tail tail = Tail::none;
  BatchHeader batch = {};  // Tail::batch
};
Result<TailLook> look_behind_end(const File& log, uint64_t file_bytes, const LogPosition& position,
                                 const StatePage& page);

}  // namespace pg
