#include "core/log/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/log/retention.h"
#include "core/log/segment_cleaner.h"
#include "core/log/segment_list.h"
#include "core/log/transactions.h"

namespace pg {
namespace {

using names::SegmentFile;
using names::SegmentStage;

// How often a run begins again because a trim or retention deleted segments meanwhile. Without another deletion it
// ends.
constexpr int kAttemptsMax = 10;

class Compaction {
 public:
  Compaction(PartitionLog& log, std::shared_ptr<PartitionState> state, int64_t now_ms, Deadline deadline,
             size_t map_bytes_max)
      : log_(log),
        config_(log.config()),
        state_(std::move(state)),
        truncations_(state_->page().truncations.load(std::memory_order_acquire)),
        now_ms_(now_ms),
        deadline_(deadline),
        last_offsets_(log.env().random, map_bytes_max) {}

  Result<CompactionResult> run(ActiveSegmentToo active);

 private:
  struct Share {
    int64_t dirty = 0, all = 0;         // bytes
    std::optional<Offset> first_dirty;  // the first segment that is not clean
  };

  Result<> close_active_segment(ActiveSegmentToo active);
  Result<> find_segments(Offset end);
  Share share_of(std::span<const Segment> segments) const;
  bool is_enough(const Share& share) const {
    return share.dirty > 0 &&
           static_cast<double>(share.dirty) >= config_.min_cleanable_dirty_ratio * static_cast<double>(share.all);
  }
  Result<bool> is_due();
  Result<std::optional<Offset>> clean_once();
  Result<Offset> read_keys();
  Result<bool> take_keys(const ScannedBatch& batch);
  Result<bool> clean_below(Offset known_below);
  Result<size_t> clean_group(std::span<const Segment> segments, const CleaningRules& rules);
  Result<bool> swap_in(std::span<const Segment> group);
  Result<> note_producers(std::span<const Segment> segments);

  // Whether the log was cut, began again, or was deleted since this run began.
  bool is_other_log() const {
    const auto stale = state_->is_stale();
    return !stale || *stale || !state_->check_not_deleted() ||
           state_->page().truncations.load(std::memory_order_seq_cst) != truncations_;
  }
  bool has_waited_long(int64_t since_ms) const {
    return since_ms >= 0 && now_ms_ - since_ms > config_.max_compaction_lag_ms;
  }
  const std::string& directory() const { return log_.directory(); }
  FileSystem& files() const { return log_.env().files; }
  LogDirectory log_directory() const { return {log_.env(), log_.spec().log_directory}; }

  PartitionLog& log_;
  const LogConfig config_;
  std::shared_ptr<PartitionState> state_;
  const uint64_t truncations_;
  int64_t now_ms_;
  Deadline deadline_;
  OffsetMap last_offsets_;
  ProducerEnds producers_;
  Decompressor decompressor_;
  std::vector<Segment> segments_;  // that may be cleaned, from the first on
  Offset first_dirty_;
  CompactionResult result_;
};

Result<CompactionResult> Compaction::run(ActiveSegmentToo active) {
  PG_ASSIGN(first_dirty_, log_directory().cleaned_to(log_.spec().partition));
  PG_CHECK(close_active_segment(active));
  PG_ASSIGN(Offset flushed, log_.flush(deadline_));
  // With more than one replica, what is not committed may be cut off again.
  const Offset committed = log_.current_state()->high_watermark();
  // Readers of committed records stop at an open transaction. So a record behind it must not take an older value from
  // them.
  PG_ASSIGN(const Offset stable, last_stable_offset(log_, committed));
  flushed = std::min({flushed, committed, stable});
  PG_CHECK(find_segments(flushed));
  if (segments_.empty()) {
    result_.idle = "no closed segment is committed and older than min.compaction.lag.ms";
    return result_;
  }
  const Offset end = segments_.back().end;
  if (first_dirty_ > end) first_dirty_ = segments_.front().base;  // a checkpoint of another log
  PG_ASSIGN(const bool due, is_due());
  for (int attempt = 1; due && !segments_.empty() && first_dirty_ < segments_.back().end;) {
    PG_ASSIGN(const auto cleaned_below, clean_once());
    if (!cleaned_below && (is_other_log() || attempt++ == kAttemptsMax)) {
      result_.idle = "the log was cut or deleted from while it was compacted";
      break;
    }
    if (cleaned_below) {
      PG_CHECK(log_directory().raise_cleaned(log_.spec().partition, *cleaned_below, deadline_,
                                             [&](const TopicPartition&) { return is_other_log(); }));
      first_dirty_ = *cleaned_below;
    }
    PG_CHECK(find_segments(end));
  }
  return result_;
}

// max.compaction.lag.ms closes a segment that is not full. So does a user's request for compaction, if enough of the
// log is dirty.
Result<> Compaction::close_active_segment(ActiveSegmentToo active) {
  const LogPosition position = state_->position();
  if (position.segment_bytes == 0) return {};
  if (has_waited_long(position.first_timestamp_ms)) return log_.roll_active(deadline_);
  const bool young =
      config_.min_compaction_lag_ms > 0 && position.max_timestamp_ms > now_ms_ - config_.min_compaction_lag_ms;
  if (active == ActiveSegmentToo::no || young) return {};
  PG_ASSIGN(const auto segments, measure_segments(log_, *state_));
  return is_enough(share_of(segments)) ? log_.roll_active(deadline_) : Result<>();
}

// The closed segments that end at or below `end` and hold nothing that is younger than min.compaction.lag.ms.
Result<> Compaction::find_segments(Offset end) {
  PG_ASSIGN(segments_, measure_segments(log_, *state_));
  const LogPosition position = state_->position();
  std::erase_if(segments_, [&](const Segment& s) { return s.end <= position.log_start; });  // about to be deleted
  size_t count = 0;
  for (; count + 1 < segments_.size() && segments_[count].end <= end; ++count) {
    if (config_.min_compaction_lag_ms == 0 || segments_[count].end <= first_dirty_) continue;
    PG_ASSIGN(const bool old, is_older(log_, segments_[count].base, now_ms_ - config_.min_compaction_lag_ms));
    if (!old) break;
  }
  segments_.resize(count);
  return {};
}

Compaction::Share Compaction::share_of(std::span<const Segment> segments) const {
  Share share;
  for (const Segment& segment : segments) {
    share.all += segment.bytes;
    if (segment.end <= first_dirty_) continue;
    share.dirty += segment.bytes;
    if (!share.first_dirty) share.first_dirty = segment.base;
  }
  return share;
}

Result<bool> Compaction::is_due() {
  const Share share = share_of(segments_);
  if (is_enough(share)) return true;
  if (share.dirty == 0) {
    result_.idle = "all closed segments are compacted already";
    return false;
  }
  PG_ASSIGN(const auto log,
            files().open(names::segment(directory(), *share.first_dirty, SegmentFile::log), OpenMode::read));
  PG_ASSIGN(const FileInfo info, log->info());
  BatchScanner scanner(*log);
  PG_ASSIGN(const auto oldest, scanner.next_header(info.size_bytes));
  if (oldest && has_waited_long(oldest->header.max_timestamp_ms)) return true;
  result_.idle = fmt::format("{} of {} bytes are new, less than min.cleanable.dirty.ratio={} asks for", share.dirty,
                             share.all, config_.min_cleanable_dirty_ratio);
  return false;
}

// One pass over the dirty segments. Returns the offset below which the log is clean then; empty: segments were deleted
// meanwhile, and not all of it was cleaned.
Result<std::optional<Offset>> Compaction::clean_once() {
  PG_CHECK(remove_cleaned(files(), directory()));
  const auto pass = [&]() -> Result<std::optional<Offset>> {
    PG_ASSIGN(const Offset known_below, read_keys());
    PG_ASSIGN(const bool all, clean_below(known_below));
    return all ? std::optional(known_below) : std::nullopt;
  };
  auto done = pass();
  if (!done && done.error().code == Errc::not_found) return std::nullopt;
  return done;
}

// Reads the dirty part. The offset below which every key's last record is known.
Result<Offset> Compaction::read_keys() {
  last_offsets_.clear();
  for (const Segment& segment : segments_) {
    if (segment.end <= first_dirty_) continue;
    PG_ASSIGN(const auto log,
              files().open(names::segment(directory(), segment.base, SegmentFile::log), OpenMode::read));
    PG_ASSIGN(const FileInfo info, log->info());
    BatchScanner scanner(*log);
    for (;;) {
      PG_ASSIGN(const auto batch, scanner.next(info.size_bytes));
      if (!batch) break;
      if (batch->header.end_offset() <= first_dirty_) continue;
      PG_ASSIGN(const bool taken, take_keys(*batch));
      if (taken) continue;
      if (batch->header.base_offset > first_dirty_) return batch->header.base_offset;
      return fail(Errc::limit,
                  fmt::format("cannot compact '{}': a batch has more keys than there is memory for", log_.name()),
                  log->path(), static_cast<int64_t>(batch->position));
    }
  }
  return segments_.back().end;
}

// False: there is no more room.
Result<bool> Compaction::take_keys(const ScannedBatch& batch) {
  producers_.note(batch.header);
  if (batch.header.is_control() || batch.header.is_transactional()) return true;
  PG_ASSIGN(auto records, RecordCursor::begin(batch.bytes, batch.header, decompressor_));
  RecordView record;
  for (;;) {
    PG_ASSIGN(const bool more, records.next(record));
    if (!more) return true;
    if (record.key && !last_offsets_.put(*record.key, record.offset)) return false;
  }
}

// False: a segment could not be cleaned, and none behind it was.
Result<bool> Compaction::clean_below(Offset known_below) {
  const int64_t horizon = now_ms_ + std::min(config_.delete_retention_ms, INT64_MAX - now_ms_);
  const CleaningRules rules{last_offsets_, known_below, now_ms_, horizon, state_->gaps()};
  const auto end =
      std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) { return s.base >= known_below; });
  const std::span<const Segment> known(segments_.begin(), end);
  PG_CHECK(note_producers(known));
  for (size_t first = 0; first < known.size();) {
    PG_ASSIGN(const size_t cleaned, clean_group(known.subspan(first), rules));
    if (cleaned == 0) return false;
    first += cleaned;
  }
  return true;
}

// Writes the first segment again, and as many of the next ones as fit behind what is left of it. Returns how many these
// were; 0: they have changed meanwhile, and stay as they are.
Result<size_t> Compaction::clean_group(std::span<const Segment> segments, const CleaningRules& rules) {
  const Offset base = segments.front().base;
  SegmentCleaner cleaner(log_.env(), directory(), rules, producers_);
  PG_CHECK(cleaner.begin(base, config_.index_interval_bytes));
  size_t count = 0;
  do {
    PG_CHECK(cleaner.add_segment(segments[count].base, segments[count].end));
    ++count;
  } while (count < segments.size() && cleaner.bytes_written() + segments[count].bytes <= config_.segment_bytes &&
           segments[count].end - base <= INT32_MAX);
  const bool changed = count > 1 || cleaner.changed();
  if (!changed) return remove_cleaned(files(), directory()).map([&] { return count; });
  PG_CHECK(cleaner.finish());
  PG_ASSIGN(const bool swapped, swap_in(segments.first(count)));
  if (!swapped) return remove_cleaned(files(), directory()).map([] { return size_t{0}; });
  result_.records += cleaner.records_removed();
  result_.bytes += cleaner.bytes_read() - cleaner.bytes_written();
  result_.segments += static_cast<int64_t>(count) - 1;
  return count;
}

Result<> Compaction::note_producers(std::span<const Segment> segments) {
  for (const Segment& segment : segments) {
    PG_ASSIGN(const auto log,
              files().open(names::segment(directory(), segment.base, SegmentFile::log), OpenMode::read));
    PG_ASSIGN(const FileInfo info, log->info());
    BatchScanner scanner(*log);
    for (;;) {
      PG_ASSIGN(const auto batch, scanner.next_header(info.size_bytes));
      if (!batch) break;
      producers_.note(batch->header);
      scanner.skip(*batch);
    }
  }
  return {};
}

// From here on the cleaned segment counts, whatever happens. False: a segment of the group was deleted meanwhile, or
// the log was cut and segments of the same names may hold other records.
Result<bool> Compaction::swap_in(std::span<const Segment> group) {
  bool swapped = false;
  const auto done = SegmentList(log_.env(), *state_, directory()).change(deadline_, [&]() -> Result<> {
    if (is_other_log()) return {};
    PG_ASSIGN(const auto bases, list_segments(files(), directory()));
    auto listed = std::find(bases.begin(), bases.end(), group.front().base);
    for (const Segment& segment : group) {
      if (listed == bases.end() || *listed++ != segment.base) return {};
    }
    // The .log last, also on the disk: its name says that everything is there.
    for (const auto kind : {SegmentFile::offset_index, SegmentFile::time_index, SegmentFile::log}) {
      if (kind == SegmentFile::log) PG_CHECK(files().sync_directory(directory()));
      PG_CHECK(files().rename(names::segment(directory(), group.front().base, kind, SegmentStage::cleaned),
                              names::segment(directory(), group.front().base, kind, SegmentStage::swap)));
    }
    PG_CHECK(files().sync_directory(directory()));
    swapped = true;
    return finish_swaps(files(), directory());
  });
  PG_CHECK(done);
  return swapped;
}

}  // namespace

Result<CompactionResult> compact_log(PartitionLog& log, int64_t now_ms, Deadline deadline, size_t map_bytes_max,
                                     ActiveSegmentToo active) {
  PG_ASSIGN(auto state, log.state(deadline));
  if (state->access() == Access::read_only) {
    return fail(Errc::io, fmt::format("cannot compact '{}': no permission to write", log.name()), log.directory());
  }
  PG_ASSIGN(const bool mine, state->locks().try_lock(lock_byte::kCompaction, LockMode::exclusive));
  if (!mine) return CompactionResult{.idle = "another process is compacting it"};
  state->page().compaction_since_ms.store(log.env().clock.wall_ms(), std::memory_order_relaxed);
  auto done = Compaction(log, state, now_ms, deadline, map_bytes_max).run(active);
  if (!done) (void)remove_cleaned(log.env().files, log.directory());
  state->locks().unlock(lock_byte::kCompaction);
  return done;
}

}  // namespace pg
