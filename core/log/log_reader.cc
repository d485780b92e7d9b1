#include "core/log/log_reader.h"

#include <fmt/format.h>

#include "core/format/path_names.h"
#include "core/log/segment_files.h"

namespace pg {

Result<std::optional<ScannedBatch>> LogReader::next(Offset end) {
  if (next_ >= end) return std::nullopt;
  if (!scanner_) PG_CHECK(seek());
  for (;;) {
    // Read before the file's size: if the segment is still the active one, what is published counts; if it no longer
    // is, its file does not grow any more.
    const LogPosition published = log_->current_state()->position();
    PG_ASSIGN(const uint64_t limit, readable_bytes(published));
    auto batch = scanner_->next(limit);
    if (hint_ && !confirms_hint(batch)) {
      if (!batch && batch.error().code != Errc::corrupt) return batch;
      PG_CHECK(enter_segment(segment_base_, std::nullopt));
      continue;
    }
    if (!batch) return batch;
    if (*batch) {
      PG_ASSIGN(const bool wanted, accept(**batch));
      if (wanted) return batch;
      continue;
    }
    if (segment_base_ == published.active_segment) {
      return fail(Errc::corrupt, fmt::format("'{}' ends before its offset {}", log_->name(), next_.value), file_->path(),
                  static_cast<int64_t>(limit));
    }
    PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
    if (segment_of(bases, expected_) != expected_) {
      return fail(Errc::corrupt, fmt::format("'{}' has no offset {}: the segment ends before the next one begins",
                                             log_->name(), expected_.value), file_->path(), static_cast<int64_t>(limit));
    }
    PG_CHECK(enter_segment(expected_, std::nullopt));
  }
}

Result<> LogReader::seek() {
  PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
  const auto base = segment_of(bases, next_);
  if (!base) {
    return fail(Errc::out_of_range, fmt::format("offset {} is below the start of '{}'", next_.value, log_->name()));
  }
  return enter_segment(*base, lookup_offset(log_->env().files, log_->directory(), *base, next_));
}

Result<> LogReader::enter_segment(Offset base, std::optional<IndexHint> hint) {
  const uint64_t position = hint ? hint->position : 0;
  if (!file_ || segment_base_ != base) {
    scanner_.reset();
    PG_ASSIGN(file_, log_->env().files.open(names::segment(log_->directory(), base, names::SegmentFile::log), OpenMode::read));
    segment_base_ = base;
    scanner_.emplace(*file_, position);
  } else {
    scanner_->seek(position);
  }
  hint_ = hint;
  expected_ = base;
  return {};
}

bool LogReader::confirms_hint(const Result<std::optional<ScannedBatch>>& batch) {
  if (!batch || !*batch) return false;
  const BatchHeader& header = (*batch)->header;
  if (header.last_offset() != hint_->last_offset || header.base_offset < segment_base_) return false;
  expected_ = header.base_offset;
  hint_.reset();
  return true;
}

Result<uint64_t> LogReader::readable_bytes(const LogPosition& published) const {
  if (segment_base_ == published.active_segment) return static_cast<uint64_t>(published.segment_bytes);
  PG_ASSIGN(const FileInfo info, file_->info());
  return info.size_bytes;
}

// Whether the batch holds the next offset. What lies outside the CRC, the base offset and the leader epoch, is checked
// against the batches before it, so that damage there is noticed too.
Result<bool> LogReader::accept(const ScannedBatch& batch) {
  const BatchHeader& header = batch.header;
  const int32_t newest_epoch = log_->current_state()->page().leader_epoch.load(std::memory_order_relaxed);
  const char* fault = nullptr;
  if (header.base_offset != expected_) fault = "its base offset does not follow the batch before it";
  if (header.leader_epoch < last_epoch_ || header.leader_epoch.value > newest_epoch) fault = "its leader epoch is impossible";
  if (fault != nullptr) {
    return fail(Errc::corrupt, fmt::format("damaged batch: {}", fault), file_->path(), static_cast<int64_t>(batch.position));
  }
  expected_ = header.end_offset();
  last_epoch_ = header.leader_epoch;
  if (expected_ <= next_) return false;
  next_ = expected_;
  return true;
}

Result<Offset> find_offset_by_time(PartitionLog& log, int64_t timestamp_ms, Offset start, Offset end) {
  FileSystem& files = log.env().files;
  PG_ASSIGN(const auto bases, list_segments(files, log.directory()));
  for (size_t i = 0; i < bases.size() && bases[i] < end; ++i) {
    const Offset segment_end = i + 1 < bases.size() ? bases[i + 1] : end;
    if (segment_end <= start) continue;
    // By the index, nothing before this offset is late enough; in most segments that is their very end.
    const Offset from = std::max(start, lookup_time(files, log.directory(), bases[i], timestamp_ms));
    LogReader reader(log, from);
    while (reader.next_offset() < std::min(segment_end, end)) {
      PG_ASSIGN(const auto batch, reader.next(std::min(segment_end, end)));
      if (!batch) break;
      if (batch->header.max_timestamp_ms < timestamp_ms) continue;
      PG_ASSIGN(auto records, RecordCursor::begin(batch->bytes, batch->header));
      RecordView record;
      for (;;) {
        PG_ASSIGN(const bool more, records.next(record));
        if (!more) break;
        if (record.timestamp_ms >= timestamp_ms && record.offset >= start && record.offset < end) return record.offset;
      }
    }
  }
  return end;
}

}  // namespace pg
