#include "core/log/log_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/control_record.h"
#include "core/format/path_names.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"

namespace pg {

Result<std::optional<ScannedBatch>> LogReader::next(Offset end) {
  if (next_ >= end) return std::nullopt;
  if (!scanner_) PG_CHECK(seek());
  for (;;) {
    // Read before the file's size: if the segment is still the active one, what is published counts; if it no longer
    // is, its file does not grow any more.
    const auto state = log_->current_state();
    if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log_->name()));
    const bool is_other = seen_.owner_before(state) || state.owner_before(seen_);
    if (is_other || state->page().truncations.load(std::memory_order_acquire) != truncations_) PG_CHECK(seek());
    const LogPosition published = state->position();
    PG_ASSIGN(const uint64_t limit, readable_bytes(published));
    auto batch = parts_ == BatchParts::all ? scanner_->next(limit) : scan_header(limit);
    if (hint_ && !confirms_hint(batch)) {
      if (!batch && batch.error().code != Errc::corrupt) return batch;
      PG_CHECK(enter_segment(segment_base_, std::nullopt));
      continue;
    }
    const GapRule gaps = state->gaps();
    if (batch && *batch) {
      const Offset base = (*batch)->header.base_offset;
      bool continues = base == expected_;
      if (!continues && gaps.allows(expected_, base)) {
        PG_ASSIGN(continues, is_plausible_here(**batch, published, limit));
        if (continues && base >= end) return pass_gap_to(end, (*batch)->position);
      }
      const auto wanted = accept(**batch, continues, state->leader_epoch());
      if (wanted && *wanted) return batch;
      if (wanted) continue;
      scanner_->seek((*batch)->position);
      batch = tl::unexpected(wanted.error());
    }
    if (!batch) {
      PG_ASSIGN(const bool passed, pass_damage(batch.error(), limit));
      if (!passed) return batch;
      continue;
    }
    if (segment_base_ == published.active_segment) {
      if (gaps.allows(expected_, published.log_end)) return pass_gap_to(end, scanner_->position());
      return fail(Errc::corrupt, fmt::format("'{}' ends before its offset {}", log_->name(), next_.value),
                  file_->path(), static_cast<int64_t>(limit));
    }
    PG_CHECK(enter_next_segment(limit, gaps));
  }
}

// All offsets from next_ to below `end` are missing. A later call goes on at byte `position`.
std::optional<ScannedBatch> LogReader::pass_gap_to(Offset end, uint64_t position) {
  scanner_->seek(position);
  next_ = end;
  return std::nullopt;
}

Result<std::optional<ScannedBatch>> LogReader::scan_header(uint64_t limit) {
  PG_ASSIGN(const auto batch, scanner_->next_header(limit));
  if (!batch) return std::nullopt;
  if (batch->header.size_bytes() <= kControlBatchBytesMax) return scanner_->next(limit);
  scanner_->skip(*batch);
  return batch;
}

// Finds next_ in the list of segments as it is at one moment.
Result<> LogReader::seek() {
  for (;;) {
    const auto state = log_->current_state();
    if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log_->name()));
    seen_ = state;
    truncations_ = state->page().truncations.load(std::memory_order_acquire);
    SegmentList list(log_->env(), *state, log_->directory());
    PG_ASSIGN(const uint64_t counter, list.settled());
    auto sought = seek_in_list(*state);
    if (list.is_still(counter)) return sought;
  }
}

Result<> LogReader::seek_in_list(const PartitionState& state) {
  const Offset log_start = state.position().log_start;
  if (next_ < log_start) {
    return fail(Errc::out_of_range, fmt::format("offset {} of '{}' was deleted: the log now starts at {}", next_.value,
                                                log_->name(), log_start.value));
  }
  PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
  const auto base = segment_of(bases, next_);
  if (!base) {
    return fail(Errc::corrupt, fmt::format("'{}' has lost the segment of offset {}", log_->name(), next_.value),
                log_->directory());
  }
  last_epoch_ = LeaderEpoch(-1);  // it may begin before what was read already
  scanner_.reset();
  file_.reset();  // even of the same segment: it may be another file by now
  return enter_segment(*base, lookup_offset(log_->env().files, log_->directory(), *base, next_));
}

// The segment at hand is read to its end.
Result<> LogReader::enter_next_segment(uint64_t limit, const GapRule& gaps) {
  for (;;) {
    const auto state = log_->current_state();
    if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log_->name()));
    SegmentList list(log_->env(), *state, log_->directory());
    PG_ASSIGN(const uint64_t counter, list.settled());
    PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
    const bool follows = expected_ > segment_base_ && segment_of(bases, expected_) == expected_;
    auto entered = follows ? enter_segment(expected_, std::nullopt) : Result<>();
    if (follows && (entered || list.is_still(counter))) return entered;
    PG_ASSIGN(const bool replaced, was_replaced());
    if (!list.is_still(counter)) continue;
    if (replaced) return seek();
    const auto later = std::upper_bound(bases.begin(), bases.end(), segment_base_);
    if (later != bases.end() && gaps.allows(expected_, *later)) {
      const Offset ended = expected_;
      entered = enter_segment(*later, std::nullopt);
      expected_ = ended;  // next() passes the gap with the first batch
      if (entered || list.is_still(counter)) return entered;
      continue;
    }
    return fail(Errc::corrupt,
                fmt::format("'{}' has no offset {}: the segment ends before the next one begins", log_->name(),
                            expected_.value),
                file_->path(), static_cast<int64_t>(limit));
  }
}

// Whether the segment that was read is no longer the one in the list.
Result<bool> LogReader::was_replaced() const {
  PG_ASSIGN(const FileInfo mine, file_->info());
  const auto listed = log_->env().files.info(file_->path());
  if (!listed && listed.error().code == Errc::not_found) return true;
  PG_CHECK(listed);
  return listed->inode != mine.inode;
}

Result<> LogReader::enter_segment(Offset base, std::optional<IndexHint> hint) {
  const uint64_t position = hint ? hint->position : 0;
  if (!file_ || segment_base_ != base) {
    scanner_.reset();
    PG_ASSIGN(file_,
              log_->env().files.open(names::segment(log_->directory(), base, names::SegmentFile::log), OpenMode::read));
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

// Damage below the offset that is wanted is no obstacle, if an intact batch that does not begin above it follows.
// False: the damage is where somebody wants to read.
Result<bool> LogReader::pass_damage(const Error& damage, uint64_t limit) {
  if (damage.code != Errc::corrupt || !damage.position || next_ <= expected_) return false;
  const auto at = static_cast<uint64_t>(*damage.position);
  PG_ASSIGN(const auto next, find_intact_batch(*file_, at + 1, limit, expected_ + 1, next_));
  if (!next) return false;
  scanner_->seek(*next);
  PG_ASSIGN(const auto batch, scanner_->next_header(limit));
  expected_ = batch->header.base_offset;
  last_epoch_ = LeaderEpoch(-1);
  return true;
}

Result<> LogReader::skip_damage(Offset end) {
  const auto state = log_->current_state();
  if (!state) return fail(Errc::busy, fmt::format("the state of '{}' is being opened again", log_->name()));
  const LogPosition published = state->position();
  PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
  // Without a scanner it is a whole segment that is not there.
  const auto later = std::upper_bound(bases.begin(), bases.end(), scanner_ ? segment_base_ : next_);
  const Offset segment_end = later == bases.end() ? published.log_end : *later;
  if (scanner_) {
    PG_ASSIGN(const uint64_t limit, readable_bytes(published));
    PG_ASSIGN(const bool resumed, resume_in_segment(limit, segment_end, state->gaps()));
    if (resumed) return {};
  }
  next_ = std::max(next_, std::min(segment_end, end));
  last_epoch_ = LeaderEpoch(-1);
  scanner_.reset();  // what follows is sought afresh
  return {};
}

// A base offset lies outside the CRC. Behind damage it is believed if what follows goes on where that batch ends.
Result<bool> LogReader::resume_in_segment(uint64_t limit, Offset segment_end, const GapRule& gaps) {
  for (uint64_t from = scanner_->position();;) {
    PG_ASSIGN(const auto found, find_intact_batch(*file_, from, limit, expected_ + 1, segment_end + -1));
    if (!found) return false;
    BatchScanner scanner(*file_, *found);
    PG_ASSIGN(const auto batch, scanner.next_header(limit));
    PG_ASSIGN(const auto follower, next_base_offset(*file_, *found + batch->header.size_bytes(), limit, segment_end));
    if (follower && gaps.follows(batch->header.end_offset(), *follower)) {
      scanner_->seek(*found);
      expected_ = batch->header.base_offset;
      next_ = std::max(next_, expected_);
      last_epoch_ = LeaderEpoch(-1);
      return true;
    }
    from = *found + 1;
  }
}

Result<uint64_t> LogReader::readable_bytes(const LogPosition& published) const {
  if (segment_base_ == published.active_segment) return static_cast<uint64_t>(published.segment_bytes);
  PG_ASSIGN(const FileInfo info, file_->info());
  return info.size_bytes;
}

// Whether the batch, which stands behind a gap, has a base offset that can be right.
Result<bool> LogReader::is_plausible_here(const ScannedBatch& batch, const LogPosition& published,
                                          uint64_t limit) const {
  Offset segment_end = published.log_end;
  if (segment_base_ != published.active_segment) {
    PG_ASSIGN(const auto bases, list_segments(log_->env().files, log_->directory()));
    const auto later = std::upper_bound(bases.begin(), bases.end(), segment_base_);
    if (later != bases.end()) segment_end = *later;
  }
  return is_plausible(*file_, batch, limit, segment_base_, segment_end);
}

// Whether the batch holds the next offset. What lies outside the CRC, the base offset and the leader epoch, is checked
// against the batches before it, so that damage there is noticed too.
Result<bool> LogReader::accept(const ScannedBatch& batch, bool continues, LeaderEpoch newest_epoch) {
  const BatchHeader& header = batch.header;
  const char* fault = nullptr;
  if (!continues) fault = "its base offset does not follow the batch before it";
  const bool has_epoch =
      header.leader_epoch != LeaderEpoch(-1);  // a log that was copied in may have -1, as a client sent it
  if (has_epoch && (header.leader_epoch < last_epoch_ || header.leader_epoch > newest_epoch))
    fault = "its leader epoch is impossible";
  if (fault != nullptr) {
    return fail(Errc::corrupt, fmt::format("damaged batch: {}", fault), file_->path(),
                static_cast<int64_t>(batch.position));
  }
  expected_ = header.end_offset();
  if (has_epoch) last_epoch_ = header.leader_epoch;
  if (expected_ <= next_) return false;
  next_ = expected_;
  return true;
}

namespace {

// The first offset of the batch whose records may be late enough, after what the time index says; `start` where it says
// nothing, or something that the log does not confirm.
Offset skip_by_time_index(PartitionLog& log, Offset base, int64_t timestamp_ms, Offset start, Offset end) {
  const auto hint = lookup_time(log.env().files, log.directory(), base, timestamp_ms);
  if (!hint || hint->last_offset < start || hint->last_offset >= end) return start;
  LogReader reader(log, hint->last_offset);
  const auto batch = reader.next(end);
  const bool confirmed = batch && *batch && (*batch)->header.last_offset() == hint->last_offset &&
                         (*batch)->header.max_timestamp_ms == hint->timestamp_ms;
  return confirmed ? (*batch)->header.end_offset() : start;
}

// The first record of a batch in [start, end) that is late enough.
Result<std::optional<Offset>> first_of_batch(const ScannedBatch& batch, Decompressor& decompressor,
                                             int64_t timestamp_ms, Offset start, Offset end) {
  PG_ASSIGN(auto records, RecordCursor::begin(batch.bytes, batch.header, decompressor));
  RecordView record;
  for (;;) {
    PG_ASSIGN(const bool more, records.next(record));
    if (!more || record.offset >= end) return std::nullopt;
    if (record.timestamp_ms >= timestamp_ms && record.offset >= start) return record.offset;
  }
}

// The same of a whole log.
Result<std::optional<Offset>> scan_for_time(PartitionLog& log, int64_t timestamp_ms, Offset start, Offset end,
                                            bool skip_damage) {
  LogReader reader(log, start);
  Decompressor decompressor;
  for (;;) {
    const auto read = reader.next(end);
    if (!read && read.error().code == Errc::corrupt && skip_damage) {
      PG_CHECK(reader.skip_damage(end));
      continue;
    }
    PG_CHECK(read);
    const auto& batch = *read;
    if (!batch) return std::nullopt;
    if (batch->header.max_timestamp_ms < timestamp_ms) continue;
    const auto found = first_of_batch(*batch, decompressor, timestamp_ms, start, end);
    if (!found && found.error().code == Errc::corrupt && skip_damage) continue;
    if (!found || *found) return found;
  }
}

}  // namespace

Result<Offset> find_offset_by_time(PartitionLog& log, int64_t timestamp_ms, Offset start, Offset end,
                                   bool skip_damage) {
  PG_ASSIGN(const auto bases, list_segments(log.env().files, log.directory()));
  for (size_t i = 0; i < bases.size() && bases[i] < end; ++i) {
    const Offset segment_end = i + 1 < bases.size() ? std::min(bases[i + 1], end) : end;
    if (segment_end <= start) continue;
    const Offset from = skip_by_time_index(log, bases[i], timestamp_ms, std::max(start, bases[i]), segment_end);
    PG_ASSIGN(const auto found, scan_for_time(log, timestamp_ms, from, segment_end, skip_damage));
    if (found) return *found;
  }
  return end;
}

}  // namespace pg
