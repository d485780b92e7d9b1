// What a log holds of a producer with an id: its last record, and all of them again.
//
// Only such a producer asks, once, when it starts: it is the only one who appends with its id, so what it finds cannot
// change under it, and no lock is needed. Batch headers are read from the end backwards, a segment at a time, until one
// has the id or a segment's snapshot tells of it. A snapshot is believed for what it says, and not for what it does not
// say: where one is missing, an older segment is read instead.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/format/producer_snapshot.h"
#include "core/log/batch_scanner.h"
#include "core/log/partition_log.h"
#include "core/log/segment_files.h"

namespace pg {

// How many records the producer has written, as far as the log tells: the count after its last one; 0 if it tells
// nothing. `start`: none of them lies below.
Result<int64_t> count_written(PartitionLog& log, int64_t producer_id, Offset start, Deadline deadline);

// What is known of all producers below `base`.
struct KnownProducers {
  Offset base;
  ProducerEntries entries;
};

// Where to begin to look for open transactions: at the newest segment with a snapshot, or at the log's start. Empty:
// there are none, since no batch of the active segment is transactional, and its snapshot has no open transaction.
Result<std::optional<KnownProducers>> known_producers(PartitionLog& log, Offset log_start);

// What a control batch says; empty: the batch is none, or `bytes` lacks its records.
Result<std::optional<ControlRecord>> control_of(const ScannedBatch& batch);

// The producer's batches that are still there, in order; not those that are appended later. A segment that is deleted
// meanwhile is passed over. Borrows `log`.
class WrittenBatches {
 public:
  static Result<WrittenBatches> open(PartitionLog& log, int64_t producer_id, Offset start);

  // Empty after the last one. The bytes are valid until the next call. Every CRC is checked.
  Result<std::optional<ScannedBatch>> next();

 private:
  WrittenBatches(PartitionLog& log, int64_t producer_id) : log_(&log), producer_id_(producer_id) {}
  Result<bool> open_next_segment();

  PartitionLog* log_;
  int64_t producer_id_;
  LogPosition end_;
  std::vector<Offset> later_;  // segments to come, the last one first
  std::unique_ptr<File> file_;
  std::optional<BatchScanner> scanner_;
  uint64_t limit_ = 0;  // of the bytes in file_
};

// For the writer who begins the segment `next`: keeps what is known of all producers below it, in next's snapshot. Does
// nothing where there are none. `position` is the log's before that. A failure is told by notice and forgotten, since
// the snapshot is a hint.
void save_producers(const Env& env, const std::string& directory, const LogPosition& position, Offset next);

}  // namespace pg
