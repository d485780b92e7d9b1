// What speaks against a state page, as far as it can be seen without reading the log.
//
// A page is stored to through a map, and nothing waits until the disk has it. So it may be older than its files although the
// machine has not restarted: the file system stopped and was mounted again, a snapshot was rolled back, somebody copied or
// restored files. Such a page would have whole records cut off. Any of these contradicts it:
//
//  * the active segment's .log is another file than the one that was published;
//  * a segment begins where the log is said to end, and nobody is making it;
//  * the log is said to end below its recovery point, which is synced;
//  * the log is said to start below its log start checkpoint: then it is enough to raise the start;
//  * whole batches lie behind the end, unless it is just one that fits there: a writer may have died before it published.
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
  std::string fault;      // which of the first three it is; empty: none
  bool has_tail = false;  // the active .log is longer than was published
  std::optional<Offset> log_start = {};  // where its checkpoint says that the log starts, if the page says less
  uint64_t checkpoints = 0;              // those that were compared, for StatePage::checkpoints
};

// Compares names, sizes and ages. Without the append lock it may see a writer at work.
Result<PageLook> look_at_files(const Env& env, const PartitionFiles& files, const StatePage& page, const LogPosition& position);

// A number for the checkpoints of recovery points and log starts as they are now, for StatePage::checkpoints.
Result<uint64_t> checkpoint_versions(FileSystem& files, const std::string& log_directory);

// A number for one file: another file that takes its name has another one.
uint64_t file_number(const FileInfo& info);

enum class Tail {
  none,
  torn,   // no whole batch: a write that did not end
  batch,  // one batch, which fits behind the end
  more,   // whole batches that no single writer has left there
};

// What lies behind the end that was published. Needs the append lock, or a writer may be at work.
struct TailLook {
  Tail tail = Tail::none;
  BatchHeader batch = {};  // Tail::batch
};
Result<TailLook> look_behind_end(const File& log, uint64_t file_bytes, const LogPosition& position, const StatePage& page);

}  // namespace pg
