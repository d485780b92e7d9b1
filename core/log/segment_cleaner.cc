#include "core/log/segment_cleaner.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/limits.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

using names::SegmentFile;
using names::SegmentStage;

constexpr size_t kWriteBytes = 256 << 10;

}  // namespace

void ProducerEnds::note(const BatchHeader& batch) {
  if (batch.producer.id < 0) return;
  const auto known = ends_.find(batch.producer.id);
  if (known != ends_.end()) {
    known->second = std::max(known->second, batch.end_offset());
  } else if (ends_.size() < kProducersMax) {
    ends_.emplace(batch.producer.id, batch.end_offset());
  }
}

bool ProducerEnds::may_be_last(const BatchHeader& batch) const {
  const auto known = ends_.find(batch.producer.id);
  return known == ends_.end() || known->second <= batch.end_offset();
}

Result<> SegmentCleaner::begin(Offset base, int32_t index_interval_bytes) {
  const auto make = [&](SegmentFile kind) {
    return env_.files.open(names::segment(directory_, base, kind, SegmentStage::cleaned), OpenMode::create_new);
  };
  PG_ASSIGN(files_.log, make(SegmentFile::log));
  PG_ASSIGN(files_.offset_index, make(SegmentFile::offset_index));
  PG_ASSIGN(files_.time_index, make(SegmentFile::time_index));
  position_.active_segment = base;
  indexes_.emplace(*files_.offset_index, *files_.time_index, index_interval_bytes);
  return {};
}

Result<> SegmentCleaner::add_segment(Offset base, Offset end) {
  PG_ASSIGN(const auto file, env_.files.open(names::segment(directory_, base, SegmentFile::log), OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  BatchScanner scanner(*file);
  Offset expected = base;
  for (;;) {
    PG_ASSIGN(const auto batch, scanner.next(info.size_bytes));
    if (batch && rules_.gaps.follows(expected, batch->header.base_offset)) {
      expected = batch->header.end_offset();
      PG_CHECK(add_batch(*batch));
      continue;
    }
    if (!batch && rules_.gaps.follows(expected, end)) break;
    return fail(Errc::corrupt, fmt::format("damaged segment: offset {} is missing", expected.value), file->path(),
                static_cast<int64_t>(scanner.position()));
  }
  bytes_read_ += static_cast<int64_t>(info.size_bytes);
  return {};
}

Result<> SegmentCleaner::add_batch(const ScannedBatch& batch) {
  const BatchHeader& header = batch.header;
  // Which records of a transaction count is decided by a marker that may come later.
  const bool untouchable = header.is_control() || header.is_transactional() || header.end_offset() > rules_.known_below;
  if (untouchable) return write(batch.bytes);
  bool tombstones = false;
  PG_ASSIGN(const int64_t kept, sift(batch, tombstones));
  records_removed_ += header.record_count - kept;
  if (kept == 0) {
    if (header.producer.id < 0 || !producers_.may_be_last(header)) return leave_gap(header);
    return header.record_count == 0 ? write(batch.bytes) : rewrite(batch, false);
  }
  const bool set_horizon = tombstones && !header.has_delete_horizon();
  if (set_horizon) ++horizons_set_;
  return kept == header.record_count && !set_horizon ? write(batch.bytes) : rewrite(batch, set_horizon);
}

bool SegmentCleaner::keeps(const RecordView& record, const BatchHeader& header) const {
  if (!record.key) return true;  // Kafka drops it; but nothing has taken its place
  const auto last = rules_.last_offsets.find(*record.key);
  if (last && *last > record.offset) return false;
  return record.value || !header.has_delete_horizon() || rules_.now_ms < header.base_timestamp_ms;
}

// Decides about each record. How many are kept, and whether there are tombstones among these.
Result<int64_t> SegmentCleaner::sift(const ScannedBatch& batch, bool& tombstones) {
  kept_.clear();
  PG_ASSIGN(auto records, RecordCursor::begin(batch.bytes, batch.header, decompressor_));
  RecordView record;
  int64_t kept = 0;
  for (;;) {
    PG_ASSIGN(const bool more, records.next(record));
    if (!more) return kept;
    kept_.push_back(keeps(record, batch.header));
    if (!kept_.back()) continue;
    ++kept;
    tombstones |= record.key && !record.value;
  }
}

Result<> SegmentCleaner::rewrite(const ScannedBatch& batch, bool set_horizon) {
  rewriter_.begin(batch.header, set_horizon ? std::optional(rules_.delete_horizon_ms) : std::nullopt);
  PG_ASSIGN(auto records, RecordCursor::begin(batch.bytes, batch.header, decompressor_));
  RecordView record;
  for (size_t i = 0;; ++i) {
    PG_ASSIGN(const bool more, records.next(record));
    if (!more) break;
    if (kept_[i]) rewriter_.keep(record);
  }
  return write(rewriter_.finish());
}

Result<> SegmentCleaner::leave_gap(const BatchHeader& header) {
  const bool joins = gap_ && gap_->epoch == header.leader_epoch && header.end_offset() - gap_->base <= INT32_MAX;
  if (joins) {
    gap_->end = header.end_offset();
    return {};
  }
  PG_CHECK(write_gap());
  gap_ = Gap{header.base_offset, header.end_offset(), header.leader_epoch};
  return {};
}

Result<> SegmentCleaner::write_gap() {
  if (!gap_) return {};
  const auto filler = filler_batch(gap_->base, gap_->end, gap_->epoch);
  gap_.reset();
  return write(filler);
}

Result<> SegmentCleaner::write(ByteView batch) {
  PG_CHECK(write_gap());
  const BatchHeader header = read_batch_header(batch);
  const auto size = static_cast<int64_t>(batch.size());
  if (position_.segment_bytes + size > kSegmentPositionMax) {
    return fail(Errc::limit, "a compacted segment would be larger than 2 GiB: lower segment.bytes", files_.log->path());
  }
  buffer_.insert(buffer_.end(), batch.begin(), batch.end());
  indexes_->add_batch(position_, header.last_offset(), header.max_timestamp_ms, size);
  return buffer_.size() >= kWriteBytes ? write_buffer() : Result<>();
}

Result<> SegmentCleaner::write_buffer() {
  const auto at = static_cast<uint64_t>(position_.segment_bytes) - buffer_.size();
  PG_CHECK(files_.log->write_at(at, buffer_));
  buffer_.clear();
  return {};
}

Result<> SegmentCleaner::finish() {
  PG_CHECK(write_gap());
  PG_CHECK(write_buffer());
  indexes_->close(position_);
  PG_CHECK(files_.log->sync());
  return files_.sync_indexes();
}

Result<> remove_cleaned(FileSystem& files, const std::string& directory) {
  PG_ASSIGN(const auto entries, files.list(directory));
  for (const auto& entry : entries) {
    const auto name = names::parse_segment(entry);
    if (!name || name->stage != SegmentStage::cleaned) continue;
    const auto removed = files.unlink(names::segment(directory, name->base_offset, name->kind, name->stage));
    if (!removed && removed.error().code != Errc::not_found) return removed;
  }
  return {};
}

}  // namespace pg
