#include "core/log/log_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/limits.h"
#include "core/format/index_entry.h"
#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/producer_state.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"
#include "core/log/side_file.h"

namespace pg {
namespace {

using names::SegmentFile;

// What scanning one segment found.
struct SegmentScan {
  LogPosition position;        // as if it were the active segment; log_end is where its intact batches end
  uint64_t file_bytes = 0;     // its size, intact or not
  EpochHistory epochs;         // the epochs of its batches
  bool transactional = false;  // one of them is
  bool epochs_ascend = true;
  bool is_old_format = false;  // it ended at a message of format 0 or 1; only where nothing is written
  std::string fault;           // why the scan ended before the file's end; empty if it did not

  bool is_intact() const { return fault.empty(); }
};

// What the segments that were read hold.
struct LogScan {
  SegmentScan last;            // the last one that was read
  EpochHistory epochs;         // of the batches of all
  bool transactional = false;  // a batch of one of them is
  bool epochs_ascend = true;
};

// What recovery takes off the end of a log.
struct CutOff {
  uint64_t bytes = 0;
  int64_t segments = 0;  // whole ones
  // Intact batches among these bytes, and their offsets: nobody was told that they had been kept.
  int64_t batches = 0;
  int64_t offsets = 0;
};

void note_epoch(const BatchHeader& header, SegmentScan& scan) {
  if (header.leader_epoch < LeaderEpoch(0)) return;  // -1, as a client sent it
  const bool is_new = scan.epochs.empty() || header.leader_epoch > scan.epochs.back().epoch;
  if (is_new)
    scan.epochs.push_back({header.leader_epoch, header.base_offset});
  else if (header.leader_epoch < scan.epochs.back().epoch)
    scan.epochs_ascend = false;
}

// Whether the batches were copied from another log into a new partition, so that the checkpoint should have their
// epochs. In a log of our own, the checkpoint has every epoch before a batch has it.
bool are_foreign(const EpochHistory& stored, const EpochHistory& seen) {
  constexpr LeaderEpoch kBelievable{1 << 24};
  const bool is_new = stored == EpochHistory{{LeaderEpoch(0), Offset(0)}};
  const auto descends = [](const EpochStart& a, const EpochStart& b) { return b.epoch < a.epoch; };
  return is_new && !seen.empty() && seen.back().epoch > LeaderEpoch(0) && seen.back().epoch < kBelievable &&
         std::adjacent_find(seen.begin(), seen.end(), descends) == seen.end();
}

class Recovery {
 public:
  Recovery(const Env& env, const RecoverySpec& spec, Access access) : env_(env), spec_(spec), access_(access) {}

  Result<PageContent> run(const OldPage& old);

 private:
  Result<LogScan> read_segments(const std::vector<Offset>& bases, Offset first, Offset kept_below);
  Result<> compare_checkpoints(Offset intact_end, const std::vector<Offset>& bases, Offset& kept_below,
                               Offset& log_start) const;
  Result<> settle_end(const SegmentScan& last, Offset kept_below, Offset log_start, PageContent& content);
  void describe_replica(const OldPage& old, PageContent& content) const;
  void keep_producers(const LogPosition& sealed, Offset next, bool is_first);
  // `end`: where the segment after it begins; empty for the last one.
  Result<SegmentScan> scan(Offset base, std::optional<Offset> end);
  Result<bool> continues(const File& log, const ScannedBatch& batch, const SegmentScan& scan, Offset end) const;
  bool joins(Offset expected, Offset next) const;
  GapRule known_gaps(Offset kept_below, const OldPage& old) const;
  Result<> cut_torn_tail(const SegmentScan& scan, const std::vector<Offset>& later);
  Result<> keep_torn_bytes(Offset base, const File& log, uint64_t from, uint64_t to, CutOff& cut);
  Result<Offset> end_behind_damage(const SegmentScan& damaged, Offset kept_below);
  Result<> contradicts(const std::string& file, const char* says, Offset value, Offset log_end) const;
  Result<LogPosition> go_on_after_damage(const SegmentScan& damaged, Offset log_end);
  Result<LogPosition> begin_segment(Offset base, Offset last);
  Result<> mend_sealed_indexes(Offset base, Offset end);
  Result<LeaderEpoch> settle_epoch(const EpochHistory& stored, const EpochHistory& seen, Offset log_end,
                                   const OldPage& old);

  bool may_write() const { return access_ == Access::read_write; }

  Env env_;
  const RecoverySpec& spec_;
  Access access_;
  GapRule gaps_;
  bool restarted_ = false;
};

Result<PageContent> Recovery::run(const OldPage& old) {
  if (may_write()) PG_CHECK(finish_swaps(env_.files, spec_.directory));
  PG_ASSIGN(const std::vector<Offset> bases, list_segments(env_.files, spec_.directory));
  if (bases.empty()) {
    return fail(Errc::corrupt, fmt::format("partition '{}' has no segment files", spec_.name), spec_.directory);
  }
  // Below this no offset may get another record: it was flushed, or shown to readers of this boot.
  Offset kept_below = std::max(spec_.recovery_point, old.log_end_min);
  gaps_ = known_gaps(kept_below, old);
  restarted_ = old.restarted;
  PG_ASSIGN(EpochHistory stored, read_epoch_history(env_, spec_.directory));
  Offset log_start = spec_.log_start.value_or(bases.front());
  // The log was copied in, and Kafka had deleted its start.
  if (gaps_.allows(log_start, bases.front())) gaps_.below = std::max(gaps_.below, log_start = bases.front());
  const Offset sound_below = std::max(spec_.recovery_point, log_start);
  const Offset first = stored.empty() ? bases.front() : segment_of(bases, sound_below).value_or(bases.front());

  PG_ASSIGN(const LogScan scanned, read_segments(bases, first, kept_below));
  const SegmentScan& last = scanned.last;
  PG_CHECK(compare_checkpoints(last.position.log_end, bases, kept_below, log_start));
  PageContent content;
  PG_CHECK(settle_end(last, kept_below, log_start, content));
  content.position.log_start = std::min(log_start, content.position.log_end);
  if (kept_below <= bases.front() && scanned.epochs_ascend && are_foreign(stored, scanned.epochs)) stored.clear();
  PG_ASSIGN(content.leader_epoch, settle_epoch(stored, scanned.epochs, content.position.log_end, old));
  content.flushed = std::min(spec_.recovery_point, content.position.log_end);
  content.failed = old.failed || spec_.flush_failed;
  content.transactional = scanned.transactional;
  content.gaps_below = gaps_.below;
  if (spec_.replicated) describe_replica(old, content);
  return content;
}

// The segments from `first` on, up to the last one or to a torn tail, which is cut; of those before only the indexes
// are mended.
Result<LogScan> Recovery::read_segments(const std::vector<Offset>& bases, Offset first, Offset kept_below) {
  LogScan scanned;
  SegmentScan& last = scanned.last;
  for (size_t i = 0; i < bases.size(); ++i) {
    if (bases[i] < first) {
      if (may_write()) PG_CHECK(mend_sealed_indexes(bases[i], bases[i + 1]));
      continue;
    }
    const bool is_last = i + 1 == bases.size();
    PG_ASSIGN(last, scan(bases[i], is_last ? std::nullopt : std::optional(bases[i + 1])));
    scanned.epochs.insert(scanned.epochs.end(), last.epochs.begin(), last.epochs.end());
    scanned.epochs_ascend = scanned.epochs_ascend && last.epochs_ascend;
    scanned.transactional |= last.transactional;
    if (last.is_intact() && is_last) break;
    if (last.is_intact() && joins(last.position.log_end, bases[i + 1])) {
      if (last.position.log_end < bases[i + 1]) gaps_.below = std::max(gaps_.below, bases[i + 1]);
      if (scanned.transactional) keep_producers(last.position, bases[i + 1], i == 0);
      continue;
    }
    if (last.position.log_end < kept_below || spec_.is_recovery_point_lost)
      continue;  // damage: every byte stays, and so do the segments after it
    const bool overlaps = !is_last && last.position.log_end > bases[i + 1];
    if (!may_write() && overlaps) continue;
    if (!may_write()) break;
    const std::vector<Offset> later(bases.begin() + static_cast<std::ptrdiff_t>(i) + 1, bases.end());
    PG_CHECK(cut_torn_tail(last, later));
    break;
  }
  return scanned;
}

// The recovery point (`kept_below`) and the log start against what was read, which ends at `intact_end`. Repair
// corrects what the log contradicts; for everybody else it is an error.
Result<> Recovery::compare_checkpoints(Offset intact_end, const std::vector<Offset>& bases, Offset& kept_below,
                                       Offset& log_start) const {
  if (kept_below - intact_end > kLostOffsetsMax) {
    if (!spec_.mends_checkpoints)
      PG_CHECK(contradicts(spec_.recovery_point_file, "was flushed up to", kept_below, intact_end));
    kept_below = intact_end;
  }
  const bool starts_there = log_start <= bases.back() || (spec_.memory && spec_.memory->log_start == log_start);
  if (log_start > std::max(intact_end, kept_below) && !starts_there) {
    if (!spec_.mends_checkpoints) PG_CHECK(contradicts(spec_.log_start_file, "begins at", log_start, intact_end));
    const bool remembers = spec_.memory && spec_.memory->log_start <= intact_end;
    log_start = remembers ? std::max(spec_.memory->log_start, bases.front()) : bases.front();
  }
  return {};
}

// Where the log ends, and goes on.
Result<> Recovery::settle_end(const SegmentScan& last, Offset kept_below, Offset log_start, PageContent& content) {
  const Offset intact_end = last.position.log_end;
  content.position = last.position;
  const bool is_damaged = intact_end < kept_below || (spec_.is_recovery_point_lost && !last.is_intact());
  if (is_damaged && may_write()) {
    PG_ASSIGN(const Offset log_end, end_behind_damage(last, kept_below));
    PG_ASSIGN(content.position, go_on_after_damage(last, log_end));
    content.after_damage = true;
  } else if (intact_end < kept_below || last.is_old_format) {
    // A process that only reads sees all of it: readers stop there.
    PG_ASSIGN(content.position.log_end, end_behind_damage(last, std::max(kept_below, intact_end + 1)));
    content.position.segment_bytes = static_cast<int64_t>(last.file_bytes);
  } else if (intact_end < log_start && may_write()) {
    // Deleted to an end that had not reached the disk when the power went. No offset gets a second value.
    PG_ASSIGN(content.position, begin_segment(log_start, last.position.active_segment));
  }
  return {};
}

void Recovery::describe_replica(const OldPage& old, PageContent& content) const {
  content.replicated = true;
  content.high_watermark = std::min(std::max(spec_.high_watermark, old.high_watermark), content.position.log_end);
  const bool is_known = old.same_boot && !old.contradicted;  // what was acknowledged
  content.unclean = old.unclean || (!is_known && !spec_.stopped_cleanly);
  content.damaged = old.damaged || content.after_damage;
}

GapRule Recovery::known_gaps(Offset kept_below, const OldPage& old) const {
  if (!spec_.gaps_below) return {old.gaps_below, old.gaps_below};
  return {std::max(*spec_.gaps_below, old.gaps_below), kept_below};
}

// Whether a segment may begin at `next` where the one before it ends at `expected`.
bool Recovery::joins(Offset expected, Offset next) const {
  if (expected == next) return true;
  // A power cut takes the end of a file, and never something from its middle.
  const bool is_torn = restarted_ && next > gaps_.below;
  return !is_torn && gaps_.allows(expected, next);
}

// Whether the batch may stand behind what was scanned. `end`: the segment's.
Result<bool> Recovery::continues(const File& log, const ScannedBatch& batch, const SegmentScan& scan,
                                 Offset end) const {
  const Offset expected = scan.position.log_end, next = batch.header.base_offset;
  if (expected == next) return true;
  if (!gaps_.allows(expected, next)) return false;
  return is_plausible(log, batch, scan.file_bytes, scan.position.active_segment, end);
}

// Reads the segment from its start, rebuilding its indexes on the way.
Result<SegmentScan> Recovery::scan(Offset base, std::optional<Offset> end) {
  constexpr Offset kNoEnd{std::numeric_limits<int64_t>::max()};
  SegmentScan result;
  result.position.active_segment = result.position.log_end = base;
  PG_ASSIGN(const auto log, env_.files.open(names::segment(spec_.directory, base, SegmentFile::log), OpenMode::read));
  PG_ASSIGN(const FileInfo info, log->info());
  result.file_bytes = info.size_bytes;
  BatchScanner scanner(*log);
  for (;;) {
    const auto found = scanner.next(info.size_bytes);
    result.is_old_format = !found && found.error().code == Errc::unsupported_version && !may_write();
    if (!found && found.error().code != Errc::corrupt && !result.is_old_format) return tl::unexpected(found.error());
    if (!found) {
      result.fault = found.error().what;
      break;
    }
    if (!*found) break;
    const BatchHeader& header = (*found)->header;
    PG_ASSIGN(const bool continues, this->continues(*log, **found, result, end.value_or(kNoEnd)));
    if (!continues) {
      result.fault = fmt::format("batch has base offset {} where {} was expected", header.base_offset.value,
                                 result.position.log_end.value);
      break;
    }
    if (header.base_offset > result.position.log_end) gaps_.below = std::max(gaps_.below, header.base_offset);
    result.position.log_end = header.end_offset();
    result.position.segment_bytes += static_cast<int64_t>(header.size_bytes());
    result.transactional |= header.is_transactional();
    note_epoch(header, result);
  }
  if (may_write()) {
    PG_CHECK(rebuild_indexes(env_, spec_.directory, result.position, spec_.index_interval_bytes, end.has_value()));
  }
  return result;
}

// A log that was copied in may lack snapshots. Without one, nothing would tell of a transaction that an earlier segment
// left open, once that segment is below the recovery point. `is_first`: no segment lies before the one that ends where
// `next` begins.
void Recovery::keep_producers(const LogPosition& sealed, Offset next, bool is_first) {
  const auto has_snapshot = [&](Offset base) {
    return env_.files.info(names::segment(spec_.directory, base, SegmentFile::snapshot)).has_value();
  };
  const bool all_known = is_first || has_snapshot(sealed.active_segment);
  if (may_write() && all_known && !has_snapshot(next)) save_producers(env_, spec_.directory, sealed, next);
}

// Calls `visit` with the header of each intact batch that begins at or after `from`, ends at or before `limit`, and has
// its offsets at or above `offset_min`; bytes in between are passed over.
template <typename Visit>
Result<> for_each_intact_batch(const File& log, uint64_t from, uint64_t limit, Offset offset_min, Visit visit) {
  for (;;) {
    PG_ASSIGN(const auto next, find_intact_batch(log, from, limit, offset_min, offset_limit(offset_min, limit)));
    if (!next) return {};
    BatchScanner scanner(log, *next);
    PG_ASSIGN(const auto batch, scanner.next(limit));
    visit(batch->header);
    from = scanner.position();
  }
}

Result<> Recovery::cut_torn_tail(const SegmentScan& scan, const std::vector<Offset>& later) {
  const Offset base = scan.position.active_segment;
  const auto end = static_cast<uint64_t>(scan.position.segment_bytes);
  CutOff cut{.segments = std::ssize(later)};
  // Later segments first: if this is interrupted, the torn segment still shows what has to be done.
  for (auto segment = later.rbegin(); segment != later.rend(); ++segment) {
    PG_ASSIGN(const auto log,
              env_.files.open(names::segment(spec_.directory, *segment, SegmentFile::log), OpenMode::write));
    PG_ASSIGN(const FileInfo info, log->info());
    PG_CHECK(keep_torn_bytes(*segment, *log, 0, info.size_bytes, cut));
    PG_CHECK(remove_segment(env_.files, spec_.directory, *segment));
    PG_CHECK(env_.files.sync_directory(spec_.directory));
  }
  if (scan.file_bytes > end) {
    PG_ASSIGN(const auto log,
              env_.files.open(names::segment(spec_.directory, base, SegmentFile::log), OpenMode::write));
    PG_CHECK(keep_torn_bytes(base, *log, end, scan.file_bytes, cut));
    PG_CHECK(log->truncate(end));
    PG_CHECK(log->sync());
  }
  env_.notice(fmt::format(
      "recovered '{}': cut {} bytes{} after offset {}, with {} whole batches of {} offsets{}", spec_.name, cut.bytes,
      cut.segments == 0 ? "" : fmt::format(" in {} segments", cut.segments + 1), scan.position.log_end.value - 1,
      cut.batches, cut.offsets, scan.fault.empty() ? "" : " (" + scan.fault + ")"));
  return {};
}

Result<> Recovery::keep_torn_bytes(Offset base, const File& log, uint64_t from, uint64_t to, CutOff& cut) {
  cut.bytes += to - from;
  PG_CHECK(for_each_intact_batch(log, from, to, base, [&](const BatchHeader& header) {
    ++cut.batches;
    cut.offsets += header.end_offset() - header.base_offset;
  }));
  PG_ASSIGN(const std::string kept,
            set_aside(env_.files, log, from, to, [&](int n) { return names::torn(spec_.directory, base, n); }));
  if (!kept.empty()) env_.notice(fmt::format("kept what was cut off '{}' in {}", spec_.name, kept));
  return {};
}

// Where the log may go on: behind what was kept, and behind every intact batch that follows the damage.
Result<Offset> Recovery::end_behind_damage(const SegmentScan& damaged, Offset kept_below) {
  const Offset base = damaged.position.active_segment;
  PG_ASSIGN(const auto log, env_.files.open(names::segment(spec_.directory, base, SegmentFile::log), OpenMode::read));
  // If nothing tells how far the log had gone, it ends behind every offset that those bytes can have held.
  const uint64_t bytes = damaged.file_bytes - static_cast<uint64_t>(damaged.position.segment_bytes);
  Offset end =
      spec_.is_recovery_point_lost ? std::max(kept_below, offset_limit(damaged.position.log_end, bytes)) : kept_below;
  PG_CHECK(for_each_intact_batch(*log, static_cast<uint64_t>(damaged.position.segment_bytes), damaged.file_bytes,
                                 damaged.position.log_end,
                                 [&](const BatchHeader& header) { end = std::max(end, header.end_offset()); }));
  return end;
}

Result<LogPosition> Recovery::go_on_after_damage(const SegmentScan& damaged, Offset log_end) {
  const Offset base = damaged.position.active_segment;
  env_.notice(
      fmt::format("'{}' is damaged: offsets {} to {} cannot be read ({}); every byte was kept, run 'pg-topic verify'",
                  spec_.name, damaged.position.log_end.value, log_end.value - 1,
                  damaged.fault.empty() ? "the file is shorter than it was" : damaged.fault));
  return begin_segment(log_end, base);
}

Result<> Recovery::contradicts(const std::string& file, const char* says, Offset value, Offset log_end) const {
  return fail(
      Errc::corrupt,
      fmt::format("damaged checkpoint: it says that '{}' {} offset {}, but the log ends at {}; see 'pg-topic repair'",
                  spec_.name, says, value.value, log_end.value),
      file);
}

// An empty segment behind everything; `last` is the last one there is.
Result<LogPosition> Recovery::begin_segment(Offset base, Offset last) {
  LogPosition position;
  position.active_segment = position.log_end = base;
  if (base != last) {
    PG_CHECK(remove_segment(env_.files, spec_.directory, base));
    PG_CHECK(create_segment(env_.files, spec_.directory, base));
  }
  return position;
}

// A sealed segment below the recovery point: its indexes are rebuilt if their sizes cannot be right, or if one of a few
// entries is wrong. Comparing them all would take as long as reading the log; and readers check what they use.
Result<> Recovery::mend_sealed_indexes(Offset base, Offset end) {
  constexpr size_t kSamples = 16;
  const auto log = env_.files.open(names::segment(spec_.directory, base, SegmentFile::log), OpenMode::read);
  const auto offsets = env_.files.read_all(names::segment(spec_.directory, base, SegmentFile::offset_index));
  const auto time_index =
      env_.files.open(names::segment(spec_.directory, base, SegmentFile::time_index), OpenMode::read);
  const auto times = time_index ? (*time_index)->info() : tl::unexpected(time_index.error());
  PG_CHECK(log);
  bool fits = offsets && offsets->size() % OffsetIndexEntry::kBytes == 0 && times && !times->is_directory &&
              times->size_bytes > 0 && times->size_bytes % TimeIndexEntry::kBytes == 0;
  const size_t entries = fits ? offsets->size() / OffsetIndexEntry::kBytes : 0;
  for (size_t i = 0; fits && i < entries; i += std::max<size_t>(1, entries / kSamples)) {
    const auto entry = OffsetIndexEntry::read(as_bytes(*offsets).data() + i * OffsetIndexEntry::kBytes);
    PG_ASSIGN(const FileInfo info, (*log)->info());
    const bool inside = entry.position >= 0 && std::cmp_less(entry.position, info.size_bytes);
    BatchScanner scanner(**log, inside ? static_cast<uint64_t>(entry.position) : info.size_bytes);
    const auto batch = scanner.next_header(info.size_bytes);
    fits = batch && *batch && (*batch)->header.last_offset() == base + entry.relative_offset;
  }
  return fits ? Result<>() : scan(base, end).map([](const SegmentScan&) {});
}

// The page's leader epoch. Where records that somebody may have read could be gone, a new one is opened, higher than
// any before, so that consumers ahead of the log are told (KIP-320). `seen`: the epochs of the batches that were
// scanned, which stand in for a lost checkpoint, and only for that: an epoch is in the checkpoint before any batch has
// it, and a batch's own epoch lies outside its CRC.
Result<LeaderEpoch> Recovery::settle_epoch(const EpochHistory& stored, const EpochHistory& seen, Offset log_end,
                                           const OldPage& old) {
  EpochHistory history = stored;
  while (!history.empty() && history.back().start_offset > log_end) history.pop_back();
  for (const auto& entry : seen) {
    if (stored.empty() && (history.empty() || entry.epoch > history.back().epoch)) history.push_back(entry);
  }
  if (history.empty()) history.push_back({LeaderEpoch(0), Offset(0)});
  const LeaderEpoch newest =
      stored.empty() ? history.back().epoch : std::max(stored.back().epoch, history.back().epoch);
  if (!old.same_boot && !spec_.replicated) open_epoch(history, LeaderEpoch(newest.value + 1), log_end);
  // Whoever has led in it must not open it again, though its records are gone.
  if (spec_.replicated && history.back().epoch < newest) open_epoch(history, newest, log_end);
  if (may_write()) {
    const bool changed = history != stored;
    const std::string path = names::epoch_checkpoint(spec_.directory);
    // Where it is right already, whoever has written it may have died before it was on the disk.
    PG_CHECK(changed ? env_.files.replace(path, write_epoch_history(history))
                     : env_.files.sync_directory(spec_.directory));
  }
  return history.back().epoch;
}

Result<> write_indexes(const Env& env, const std::string& directory, LogPosition& position,
                       int32_t index_interval_bytes, bool sealed) {
  PG_ASSIGN(ActiveSegment segment, open_active_segment(env, directory, position.active_segment));
  PG_CHECK(segment.offset_index->truncate(0));
  PG_CHECK(segment.time_index->truncate(0));
  LogPosition rebuilt;
  rebuilt.active_segment = position.active_segment;
  rebuilt.log_end = position.log_end;
  rebuilt.log_start = position.log_start;
  IndexWriter writer(*segment.offset_index, *segment.time_index, index_interval_bytes);
  BatchScanner scanner(*segment.log);
  for (;;) {
    PG_ASSIGN(const auto found, scanner.next_header(static_cast<uint64_t>(position.segment_bytes)));
    if (!found) break;
    writer.add_batch(rebuilt, found->header.last_offset(), found->header.max_timestamp_ms,
                     static_cast<int64_t>(found->header.size_bytes()));
    if (found->header.producer.id >= 0) ++rebuilt.producer_batches;
    scanner.skip(*found);
  }
  if (sealed) writer.close(rebuilt);
  position = rebuilt;
  return segment.sync_indexes();
}

}  // namespace

Result<PageContent> recover_log(const Env& env, const RecoverySpec& spec, const OldPage& old) {
  return Recovery(env, spec, Access::read_write).run(old);
}

Result<PageContent> inspect_log(const Env& env, const RecoverySpec& spec, const OldPage& old) {
  OldPage view = old;
  view.same_boot = true;  // a process that only looks opens no epoch
  return Recovery(env, spec, Access::read_only).run(view);
}

Result<EpochHistory> read_epoch_history(const Env& env, const std::string& directory) {
  const auto text = env.files.read_all(names::epoch_checkpoint(directory));
  if (!text && text.error().code == Errc::not_found) return EpochHistory{};
  PG_CHECK(text);
  return parse_epoch_history(*text).value_or(EpochHistory{});
}

Result<> rebuild_indexes(const Env& env, const std::string& directory, LogPosition& position,
                         int32_t index_interval_bytes, bool sealed) {
  const auto done = write_indexes(env, directory, position, index_interval_bytes, sealed);
  // What the disk did not take is dropped from memory too: only writing it once more can still bring it there.
  return done ? done : write_indexes(env, directory, position, index_interval_bytes, sealed);
}

}  // namespace pg
