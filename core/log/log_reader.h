// Reads one partition's batches in offset order, across segments, without locks. Not thread-safe; one per reader.
#pragma once

#include <memory>
#include <optional>

#include "core/log/batch_scanner.h"
#include "core/log/partition_log.h"
#include "core/log/segment_files.h"

namespace pg {

// What a reader wants of a batch. `header`: the CRC is not checked, and `bytes` is only the header. But a batch as
// small as a transaction's marker is read and checked whole, so that the reader misses no marker.
enum class BatchParts : uint8_t { all, header };

class LogReader {
 public:
  // Borrows `log`, which must outlive the reader. `start` is checked by the first next(): below the log's start it is
  // out_of_range.
  LogReader(PartitionLog& log, Offset start, BatchParts parts = BatchParts::all)
      : log_(&log), next_(start), parts_(parts) {}

  Offset next_offset() const { return next_; }

  // The batch that holds next_offset(), or the next one if that offset is missing (gaps.h), and moves behind it; it may
  // begin before that offset. Empty once `end`, which must not be above the high watermark, is reached. `corrupt` names
  // file and position, and comes again and again, until skip_damage(). A segment that is deleted or compacted meanwhile
  // is read to its end; `out_of_range` if what follows is deleted too.
  Result<std::optional<ScannedBatch>> next(Offset end);

  // After `corrupt`: moves next_offset() to the first batch behind the damage whose place in the log is certain, or to
  // `end`. What lies between cannot be read.
  Result<> skip_damage(Offset end);

 private:
  Result<> seek();
  Result<> seek_in_list(const PartitionState& state);
  Result<> enter_next_segment(uint64_t limit, const GapRule& gaps);
  Result<bool> was_replaced() const;
  Result<> enter_segment(Offset base, std::optional<IndexHint> hint);
  Result<bool> resume_in_segment(uint64_t limit, Offset segment_end, const GapRule& gaps);
  Result<bool> pass_damage(const Error& damage, uint64_t limit);
  Result<uint64_t> readable_bytes(const LogPosition& published) const;
  bool confirms_hint(const Result<std::optional<ScannedBatch>>& batch);
  std::optional<ScannedBatch> pass_gap_to(Offset end, uint64_t position);
  Result<std::optional<ScannedBatch>> scan_header(uint64_t limit);
  Result<bool> is_plausible_here(const ScannedBatch& batch, const LogPosition& published, uint64_t limit) const;
  Result<bool> accept(const ScannedBatch& batch, bool continues, LeaderEpoch newest_epoch);

  PartitionLog* log_;
  Offset next_;
  BatchParts parts_;
  Offset segment_base_;
  Offset expected_;                // the base offset that the next batch must have
  std::optional<IndexHint> hint_;  // set after a jump by the index, until the batch it named was found there
  LeaderEpoch last_epoch_{-1};
  uint64_t truncations_ = 0;            // of the log, when the scanner began: what it has read ahead may be gone
  std::weak_ptr<PartitionState> seen_;  // the state at that time: a state that was opened again may be of other files
  std::unique_ptr<File> file_;
  std::optional<BatchScanner> scanner_;
};

// The first offset in [start, end) whose record is not earlier than `timestamp_ms`; `end` if there is none. With
// `skip_damage`, the first one that can be read.
Result<Offset> find_offset_by_time(PartitionLog& log, int64_t timestamp_ms, Offset start, Offset end,
                                   bool skip_damage = false);

}  // namespace pg
