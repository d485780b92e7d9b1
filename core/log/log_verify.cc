#include "core/log/log_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/format/control_record.h"
#include "core/format/index_entry.h"
#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/log_directory.h"
#include "core/log/log_recovery.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"

namespace pg {
namespace {

using names::SegmentFile;

class Verifier {
 public:
  Verifier(PartitionLog& log, const std::function<void(const Fault&)>& report)
      : log_(log), files_(log.env().files), report_(report) {}

  Result<VerifyTotals> run();

 private:
  struct Range {  // of bytes that are no batch; the indexes may speak of what was there
    uint64_t from, to;
    Offset first_offset;
  };
  struct Batch {
    uint64_t position;
    Offset last_offset;
    int64_t max_timestamp_ms;
  };

  Result<> look_at_checkpoints();
  void check_checkpoints();
  void check_page();
  Result<> check_unpublished(Offset base, const PartitionState& state);
  Result<> check_segment(Offset base, uint64_t limit);
  Result<> check_batch(const ScannedBatch& batch, const File& log, uint64_t limit);
  Result<> check_base_offset(const ScannedBatch& batch, const File& log, uint64_t limit);
  void check_sequence(const BatchHeader& header, uint64_t position, const std::string& path);
  Result<> check_offset_index(Offset base, const std::vector<Batch>& batches, int64_t published_bytes);
  Result<> check_time_index(Offset base, const std::vector<Batch>& batches, int64_t published_bytes);
  void fault(const std::string& path, uint64_t position, Offset offset, std::string reason) {
    ++totals_.faults;
    report_({path, position, offset, std::move(reason)});
  }

  PartitionLog& log_;
  FileSystem& files_;
  const std::function<void(const Fault&)>& report_;
  VerifyTotals totals_;
  EpochHistory epochs_;
  LogPosition published_;
  bool may_lack_ = false;  // indexes and the epoch checkpoint
  GapRule gaps_;
  Offset segment_base_, segment_end_;                 // of the segment at hand
  std::optional<Offset> log_start_, recovery_point_;  // as the checkpoints say
  Offset expected_;
  std::map<int64_t, ProducerStamp> last_;  // by producer id: the last record seen of it
  std::vector<Range> damaged_;             // of the segment at hand
  Decompressor decompressor_;
};

Result<VerifyTotals> Verifier::run() {
  const auto state = log_.current_state();
  // Nothing is deleted or replaced while it is looked at.
  SegmentList list(log_.env(), *state, log_.directory());
  PG_ASSIGN(const HeldLock kept, list.keep(log_.env().clock.after(kTimeoutDefault)));
  PG_CHECK(look_at_checkpoints());
  published_ = state->position();
  gaps_ = state->gaps();
  check_checkpoints();
  check_page();
  PG_ASSIGN(epochs_, read_epoch_history(log_.env(), log_.directory()));
  // If no page counts, the next writer first makes the indexes and checkpoints again that come from the logs; verify
  // makes nothing.
  may_lack_ = state->is_private_view();
  // The next writer takes the epochs of a log that was copied into a new partition from its batches.
  if (may_lack_ && epochs_.size() == 1 && epochs_.back().epoch != state->leader_epoch()) epochs_.clear();
  if (epochs_.empty() && !may_lack_) {
    fault(names::epoch_checkpoint(log_.directory()), 0, Offset(0), "missing or malformed");
  }
  PG_ASSIGN(const auto bases, list_segments(files_, log_.directory()));
  expected_ = published_.log_start;
  const Offset first = segment_of(bases, published_.log_start).value_or(published_.log_start);
  for (size_t i = 0; i < bases.size(); ++i) {
    const Offset base = bases[i];
    if (base < first) continue;  // about to be deleted
    if (base > published_.active_segment) {
      PG_CHECK(check_unpublished(base, *state));
      break;
    }
    if (base == first) expected_ = base;
    const std::string path = names::segment(log_.directory(), base, SegmentFile::log);
    if (!gaps_.follows(expected_, base)) {
      fault(path, 0, expected_,
            fmt::format("offsets {} to {} are missing before this segment", expected_.value, base.value - 1));
    }
    expected_ = base;
    PG_ASSIGN(const FileInfo info, files_.info(path));
    const bool active = base == published_.active_segment;
    segment_base_ = base;
    segment_end_ = active || i + 1 == bases.size() ? published_.log_end : bases[i + 1];
    if (info.kind != FileKind::file) {
      fault(path, 0, base, wrong_kind(info.kind, FileKind::file, path).what);
      expected_ = segment_end_;
      continue;
    }
    PG_CHECK(check_segment(base, active ? static_cast<uint64_t>(published_.segment_bytes) : info.size_bytes));
  }
  if (expected_ < published_.log_end && !gaps_.allows(expected_, published_.log_end)) {
    fault(names::segment(log_.directory(), published_.active_segment, SegmentFile::log), 0, expected_,
          fmt::format("offsets {} to {} are missing", expected_.value, published_.log_end.value - 1));
  }
  return totals_;
}

// Reads the checkpoints before the log's end, which may grow meanwhile.
Result<> Verifier::look_at_checkpoints() {
  const LogDirectory directory(log_.env(), log_.spec().log_directory);
  PG_ASSIGN(log_start_, directory.log_start(log_.spec().partition));
  PG_ASSIGN(recovery_point_, directory.recovery_point(log_.spec().partition));
  return {};
}

void Verifier::check_checkpoints() {
  const std::string& directory = log_.spec().log_directory;
  const auto check = [&](const std::string& path, std::optional<Offset> value, const char* what) {
    if (!value)
      fault(path, 0, Offset(0), fmt::format("has no readable line of '{}'", log_.name()));
    else if (*value > published_.log_end)
      fault(
          path, 0, *value,
          fmt::format("'{}' {} offset {}, but ends at {}", log_.name(), what, value->value, published_.log_end.value));
  };
  check(names::log_start_checkpoint(directory), log_start_, "begins at");
  check(names::recovery_checkpoint(directory), recovery_point_, "was flushed up to");
}

// verify reads without a page and without locks, and a writer cannot.
void Verifier::check_page() {
  for (const auto& path : {names::partition_state(log_.directory()), names::partition_lock(log_.directory())}) {
    const auto info = files_.info(path);
    if (info && info->kind != FileKind::file)
      fault(path, 0, Offset(0), wrong_kind(info->kind, FileKind::file, path).what);
  }
}

// A segment gets its first record after it was published.
Result<> Verifier::check_unpublished(Offset base, const PartitionState& state) {
  PG_ASSIGN(const bool has_records, holds_records(files_, log_.directory(), base));
  if (!has_records || base <= state.position().active_segment) return {};
  fault(names::partition_state(log_.directory()), 0, base,
        fmt::format("it does not know the segment that begins at offset {}", base.value));
  return {};
}

Result<> Verifier::check_segment(Offset base, uint64_t limit) {
  ++totals_.segments;
  PG_ASSIGN(const auto file, files_.open(names::segment(log_.directory(), base, SegmentFile::log), OpenMode::read));
  std::vector<Batch> batches;
  damaged_.clear();
  BatchScanner scanner(*file);
  while (scanner.position() < limit) {
    const auto batch = scanner.next(limit);
    if (batch && *batch) {
      PG_CHECK(check_batch(**batch, *file, limit));
      batches.push_back({(*batch)->position, (*batch)->header.last_offset(), (*batch)->header.max_timestamp_ms});
      continue;
    }
    if (batch) break;
    const bool is_fault = batch.error().code == Errc::corrupt || batch.error().code == Errc::unsupported_version;
    if (!is_fault) return tl::unexpected(batch.error());
    fault(file->path(), scanner.position(), expected_, batch.error().what);
    PG_ASSIGN(const auto next,
              find_intact_batch(*file, scanner.position() + 1, limit, expected_, offset_limit(expected_, limit)));
    damaged_.push_back({scanner.position(), next.value_or(limit), expected_});
    if (!next) break;
    scanner.seek(*next);
    // What the damage swallowed is part of the fault that was just reported.
    PG_ASSIGN(const auto resumed, scanner.next_header(limit));
    expected_ = resumed->header.base_offset;
  }
  const bool active = base == published_.active_segment;
  PG_CHECK(check_offset_index(base, batches, active ? published_.offset_index_bytes : -1));
  return check_time_index(base, batches, active ? published_.time_index_bytes : -1);
}

// Checks the batch's base offset, and sets expected_ to it if it is plausible.
Result<> Verifier::check_base_offset(const ScannedBatch& batch, const File& log, uint64_t limit) {
  const Offset base = batch.header.base_offset, expected = expected_;
  if (base == expected) return {};
  PG_ASSIGN(const bool plausible, is_plausible(log, batch, limit, segment_base_, segment_end_));
  if (plausible && gaps_.allows(expected, base)) {
    expected_ = base;
    return {};
  }
  PG_ASSIGN(const auto next, next_base_offset(log, batch.position + batch.header.size_bytes(), limit, segment_end_));
  // The next batch tells whether batches are missing or this one's base offset is wrong.
  const bool missing = base > expected && next == batch.header.end_offset();
  if (missing) expected_ = base;
  fault(log.path(), batch.position, expected,
        missing ? fmt::format("offsets {} to {} are missing before this batch", expected.value, base.value - 1)
                : fmt::format("batch has base offset {} where {} was expected", base.value, expected.value));
  return {};
}

Result<> Verifier::check_batch(const ScannedBatch& batch, const File& log, uint64_t limit) {
  const std::string& path = log.path();
  ++totals_.batches;
  totals_.bytes += static_cast<int64_t>(batch.header.size_bytes());
  totals_.records += batch.header.record_count;
  PG_CHECK(check_base_offset(batch, log, limit));
  const LeaderEpoch epoch = epoch_at(epochs_, expected_);
  if (!epochs_.empty() && batch.header.leader_epoch != epoch && batch.header.leader_epoch != LeaderEpoch(-1)) {
    fault(path, batch.position, expected_,
          fmt::format("batch has leader epoch {} where {} was expected", batch.header.leader_epoch.value, epoch.value));
  }
  check_sequence(batch.header, batch.position, path);
  expected_ = expected_ + batch.header.last_offset_delta + 1;
  auto cursor = RecordCursor::begin(batch.bytes, batch.header, decompressor_);
  RecordView record;
  while (cursor) {
    const auto more = cursor->next(record);
    if (!more) fault(path, batch.position, batch.header.base_offset, more.error().what);
    if (!more || !*more) break;
  }
  if (!cursor) fault(path, batch.position, batch.header.base_offset, cursor.error().what);
  if (batch.header.is_control()) {
    const auto control = read_control_batch(batch.bytes, batch.header);
    if (!control) fault(path, batch.position, batch.header.base_offset, control.error().what);
  }
  return {};
}

// A producer's records come once and in order. They need not be without a gap: some may have been deleted. Sequences go
// on at 0 after 2^31 - 1, within an epoch as Kafka's clients do it, or with the next one.
void Verifier::check_sequence(const BatchHeader& header, uint64_t position, const std::string& path) {
  const ProducerStamp& first = header.producer;
  if (first.id < 0 || first.sequence < 0) return;
  const ProducerStamp last{first.id, first.epoch,
                           static_cast<int32_t>((int64_t{first.sequence} + header.last_offset_delta) & INT32_MAX)};
  const auto [seen, is_new] = last_.try_emplace(first.id, last);
  if (is_new) return;
  const ProducerStamp before = std::exchange(seen->second, last);
  const int64_t step = (int64_t{first.sequence} - before.sequence) & INT32_MAX;  // modulo 2^31
  const bool ascends = first.epoch != before.epoch ? first.epoch > before.epoch : step > 0 && step < int64_t{1} << 30;
  if (ascends) return;
  fault(path, position, header.base_offset,
        fmt::format("sequence {} (epoch {}) of producer {} follows its sequence {} (epoch {})", first.sequence,
                    first.epoch, first.id, before.sequence, before.epoch));
}

Result<> Verifier::check_offset_index(Offset base, const std::vector<Batch>& batches, int64_t published_bytes) {
  const std::string path = names::segment(log_.directory(), base, SegmentFile::offset_index);
  const auto content = files_.read_all(path);
  if (!content) {
    if (may_lack_ && content.error().code == Errc::not_found) return {};
    if (content.error().code == Errc::limit)
      return tl::unexpected(content.error());  // too many open files: nothing is known
    fault(path, 0, base, content.error().message());
    return {};
  }
  const size_t size = published_bytes < 0 ? content->size() : static_cast<size_t>(published_bytes);
  if (content->size() < size) fault(path, content->size(), base, "index is cut short");
  for (size_t at = 0; at + OffsetIndexEntry::kBytes <= std::min(size, content->size());
       at += OffsetIndexEntry::kBytes) {
    const auto entry = OffsetIndexEntry::read(as_bytes(*content).data() + at);
    const bool unknowable = std::any_of(damaged_.begin(), damaged_.end(), [&](const Range& range) {
      return std::cmp_greater_equal(entry.position, range.from) && std::cmp_less(entry.position, range.to);
    });
    if (unknowable) continue;
    const auto batch =
        std::lower_bound(batches.begin(), batches.end(), entry.position,
                         [](const Batch& b, int32_t position) { return std::cmp_less(b.position, position); });
    if (batch == batches.end() || std::cmp_not_equal(batch->position, entry.position) ||
        batch->last_offset != base + entry.relative_offset) {
      fault(path, at, base + entry.relative_offset,
            "index entry points at no such batch; delete the index and partition.state, and both are rebuilt");
    }
  }
  return {};
}

Result<> Verifier::check_time_index(Offset base, const std::vector<Batch>& batches, int64_t published_bytes) {
  const std::string path = names::segment(log_.directory(), base, SegmentFile::time_index);
  const auto content = files_.read_all(path);
  if (!content) {
    if (may_lack_ && content.error().code == Errc::not_found) return {};
    if (content.error().code == Errc::limit)
      return tl::unexpected(content.error());  // too many open files: nothing is known
    fault(path, 0, base, content.error().message());
    return {};
  }
  const size_t size = published_bytes < 0 ? content->size() : static_cast<size_t>(published_bytes);
  if (content->size() < size) fault(path, content->size(), base, "index is cut short");
  size_t seen = 0;
  int64_t greatest = -1;
  for (size_t at = 0; at + TimeIndexEntry::kBytes <= std::min(size, content->size()); at += TimeIndexEntry::kBytes) {
    const auto entry = TimeIndexEntry::read(as_bytes(*content).data() + at);
    const Offset offset = base + entry.relative_offset;
    if (!damaged_.empty() && offset >= damaged_.front().first_offset) break;
    while (seen < batches.size() && batches[seen].last_offset <= offset) {
      greatest = std::max(greatest, batches[seen++].max_timestamp_ms);
    }
    if (seen == 0 || batches[seen - 1].last_offset != offset || entry.timestamp_ms != greatest) {
      fault(
          path, at, offset,
          "index entry has another time than its batches; delete the index and partition.state, and both are rebuilt");
    }
  }
  return {};
}

}  // namespace

Result<VerifyTotals> verify_log(PartitionLog& log, const std::function<void(const Fault&)>& report) {
  return Verifier(log, report).run();
}

}  // namespace pg
