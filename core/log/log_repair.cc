#include "core/log/log_repair.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/log/log_recovery.h"
#include "core/log/log_verify.h"
#include "core/log/repair_plan.h"
#include "core/log/side_file.h"

namespace pg {
namespace {

using names::SegmentFile;

constexpr size_t kCopyBytes = 256 << 10;
constexpr int64_t kFillerOffsetsMax = int64_t{1} << 31;

// Writes one segment anew, as its plan says, and puts it in the place of the old one.
class SegmentRewriter {
 public:
  SegmentRewriter(const Env& env, const std::string& directory, const EpochHistory& epochs)
      : env_(env), directory_(directory), epochs_(epochs) {}

  // The indexes are left for others to make.
  Result<> run(const SegmentRepair& plan);

 private:
  Result<> write_piece(const RepairPiece& piece);
  Result<> copy(const RepairPiece& piece);
  Result<> fill(const RepairPiece& piece);
  Result<> write(ByteView bytes);

  Env env_;
  const std::string& directory_;
  const EpochHistory& epochs_;
  Offset base_;
  std::unique_ptr<File> from_, to_;
  uint64_t written_ = 0;
};

Result<> SegmentRewriter::run(const SegmentRepair& plan) {
  base_ = plan.base;
  const std::string path = names::segment(directory_, base_, SegmentFile::log);
  const std::string made = names::repaired(directory_, base_);
  const auto removed = env_.files.unlink(made);  // left by a repair that was interrupted
  if (!removed && removed.error().code != Errc::not_found) return removed;
  PG_ASSIGN(const bool is_there, env_.files.exists(path));
  if (!is_there) {
    PG_CHECK(remove_segment(env_.files, directory_, base_));
    PG_CHECK(create_segment(env_.files, directory_, base_));
  }
  PG_ASSIGN(from_, env_.files.open(path, OpenMode::read));
  PG_ASSIGN(to_, env_.files.open(made, OpenMode::create_new));
  written_ = 0;
  for (const auto& piece : plan.pieces) {
    const auto done = write_piece(piece);
    if (done) continue;
    (void)env_.files.unlink(made);
    return done;
  }
  PG_CHECK(to_->sync());
  PG_CHECK(env_.files.rename(made, path));
  return env_.files.sync_directory(directory_);
}

Result<> SegmentRewriter::write_piece(const RepairPiece& piece) {
  if (piece.kind != RepairPiece::Kind::lost) return copy(piece);
  PG_ASSIGN(const std::string kept, set_aside(env_.files, *from_, piece.from, piece.to,
                                              [&](int n) { return names::damaged(directory_, base_, n); }));
  if (!kept.empty()) env_.notice(fmt::format("kept the damaged bytes in {}", kept));
  return fill(piece);
}

Result<> SegmentRewriter::copy(const RepairPiece& piece) {
  // A batch that is restored is stamped at its start, so it is copied whole; others in any portions.
  const bool whole = piece.kind == RepairPiece::Kind::restored;
  std::vector<std::byte> buffer(whole ? piece.to - piece.from : std::min<uint64_t>(kCopyBytes, piece.to - piece.from));
  for (uint64_t at = piece.from; at < piece.to;) {
    const auto portion = std::span(buffer).first(std::min<uint64_t>(buffer.size(), piece.to - at));
    PG_ASSIGN(const size_t got, from_->read_at(at, portion));
    if (got < portion.size()) return fail(Errc::io, "the file became shorter while it was repaired", from_->path());
    if (whole) stamp_batch(portion, piece.first, epoch_at(epochs_, piece.first));
    PG_CHECK(write(portion));
    at += got;
  }
  return {};
}

Result<> SegmentRewriter::fill(const RepairPiece& piece) {
  for (Offset first = piece.first; first < piece.end;) {
    const Offset end = std::min(piece.end, first + kFillerOffsetsMax);
    PG_CHECK(write(filler_batch(first, end, epoch_at(epochs_, first))));
    first = end;
  }
  return {};
}

Result<> SegmentRewriter::write(ByteView bytes) {
  PG_CHECK(to_->write_at(written_, bytes));
  written_ += bytes.size();
  return {};
}

class Repair {
 public:
  Repair(const Env& env, const PartitionLog::Spec& spec)
      : env_(env),
        spec_(spec),
        directory_(names::partition_directory(spec.log_directory, spec.partition)),
        name_(fmt::format("{}-{}", spec.partition.topic, spec.partition.partition.value)) {}

  // What there is to do, seen without keeping anybody away.
  Result<> look(Deadline deadline);
  // Does it.
  Result<> apply(Deadline deadline);

  const RepairTotals& totals() const { return totals_; }
  void report(const std::function<void(const RepairItem&)>& visit) const {
    for (const auto* items : {&structure_, &log_items_}) std::for_each(items->begin(), items->end(), visit);
  }

 private:
  Result<std::vector<Error>> find_misplaced() const;
  Result<> look_at_structure(PartitionLog& log);
  Result<> mend_structure();
  Result<> mend_indexes();
  Result<std::vector<SegmentRepair>> plan(const LogPosition& position, const GapRule& gaps, Offset intact_below) const;
  void add_missing(std::vector<SegmentRepair>& plans, Offset first, Offset end, const GapRule& gaps) const;
  void count(const std::vector<SegmentRepair>& plans);
  Result<PageContent> rebuild(const OldPage& old);
  Result<> mend_checkpoints(const RecoverySpec& recovery, const LogPosition& found);

  Env env_;
  const PartitionLog::Spec& spec_;
  const std::string directory_;
  const std::string name_;
  bool is_made_anew_ = false;  // the directory was gone: its page knows nothing
  RepairTotals totals_;
  std::vector<RepairItem> structure_;  // what is wrong with other files than the logs
  std::vector<RepairItem> log_items_;
};

// What stands where a file of the partition should be that is made from its logs or from the topic's metadata.
Result<std::vector<Error>> Repair::find_misplaced() const {
  std::vector<Error> misplaced;
  for (const auto& path : {names::partition_metadata(directory_), names::epoch_checkpoint(directory_),
                           names::partition_state(directory_), names::partition_lock(directory_)}) {
    const auto info = env_.files.info(path);
    if (!info && info.error().code != Errc::not_found && info.error().sys_errno != ENOTDIR)
      return tl::unexpected(info.error());
    if (info && info->kind != FileKind::file) misplaced.push_back(wrong_kind(info->kind, FileKind::file, path));
  }
  return misplaced;
}

Result<> Repair::look(Deadline deadline) {
  PG_ASSIGN(const auto misplaced, find_misplaced());
  for (const auto& error : misplaced) {
    structure_.push_back({error.path, 0, 0, Offset(0), Offset(0), false, error.what});
    ++totals_.restored;
  }
  if (!misplaced.empty()) return {};  // nothing can be opened; what else is wrong shows once the files are there again
  const auto log = PartitionLog::open(env_, spec_, deadline);
  PG_ASSIGN(const bool is_there, env_.files.exists(directory_));
  const bool is_gone = !log && log.error().code == Errc::not_found && !is_there;
  if (!log && log.error().code == Errc::not_found && is_there) {
    const std::string metadata = names::partition_metadata(directory_);
    return fail(Errc::not_found,
                fmt::format("'{}' has files of another topic, by its partition.metadata: if they are to be this "
                            "topic's, remove that file and repair it again",
                            name_),
                metadata);
  }
  if (is_gone || (!log && log.error().code == Errc::corrupt)) {
    // Files without which nothing can be opened are missing; what else is shows once they are there again.
    structure_.push_back({log.error().path, 0, 0, Offset(0), Offset(0), false, log.error().what});
    ++totals_.restored;
    return {};
  }
  PG_CHECK(log);
  const auto state = (*log)->current_state();
  totals_.is_offline = state->page().failed.load() != 0;
  PG_CHECK(look_at_structure(**log));
  PG_ASSIGN(const auto plans, plan(state->position(), state->gaps(),
                                   totals_.is_offline ? Offset(state->page().flushed.load()) : Offset(INT64_MAX)));
  count(plans);
  return {};
}

// Everything but the logs is made from them, so it can be had back whole.
Result<> Repair::look_at_structure(PartitionLog& log) {
  return verify_log(
             log,
             [this](const Fault& fault) {
               if (fault.path.ends_with(".log")) return;
               structure_.push_back({fault.path, fault.position, 0, fault.offset, fault.offset, false, fault.reason});
               ++totals_.restored;
             })
      .map([](const VerifyTotals&) {});
}

Result<> Repair::apply(Deadline deadline) {
  log_items_.clear();
  totals_.lost_offsets = totals_.rewritten_segments = 0;
  totals_.restored = static_cast<int64_t>(structure_.size());
  PG_CHECK(mend_structure());
  PartitionState::Spec state_spec{directory_, name_, Access::read_write, {}};
  state_spec.rebuild = [this](const OldPage& old, Access) { return rebuild(old); };
  return PartitionState::replace_page(env_, state_spec, deadline);
}

Result<> Repair::mend_structure() {
  PG_ASSIGN(const bool is_there, env_.files.exists(directory_));
  if (!is_there) {
    is_made_anew_ = true;
    return PartitionLog::create(env_, spec_.log_directory, spec_.partition, spec_.topic_id).map([](const Uuid&) {});
  }
  PG_ASSIGN(const auto misplaced, find_misplaced());
  for (const auto& error : misplaced) PG_CHECK(move_aside(env_.files, error.path));
  const std::string metadata = names::partition_metadata(directory_);
  const auto text = env_.files.read_all(metadata);
  if (!text && text.error().code != Errc::not_found) return tl::unexpected(text.error());
  if (!text || !parse_partition_metadata(*text)) {
    PG_CHECK(env_.files.replace(metadata, write_partition_metadata(spec_.topic_id)));
  }
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  if (!bases.empty()) return {};
  // The log start stays: records below it were deleted on purpose.
  PG_ASSIGN(const RecoverySpec recovery, PartitionLog::recovery_spec(env_, spec_));
  const Offset base = recovery.log_start.value_or(Offset(0));
  PG_CHECK(remove_segment(env_.files, directory_, base));
  return create_segment(env_.files, directory_, base);
}

// Called while nobody else has the partition open. Where no page says where the log ends, recovery settles that first.
Result<PageContent> Repair::rebuild(const OldPage& old) {
  Env quiet = env_;
  quiet.notice = [](const std::string&) {};  // what is damaged is reported here
  PG_ASSIGN(RecoverySpec recovery, PartitionLog::recovery_spec(quiet, spec_));
  recovery.mends_checkpoints = true;
  const bool failed = old.failed || recovery.flush_failed;
  LogPosition position = old.position.value_or(LogPosition());
  GapRule gaps{std::max(recovery.gaps_below.value_or(Offset(0)), old.gaps_below)};
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  // A page that is older than the log may not know its last segments.
  const bool knows_all = bases.empty() || bases.back() <= position.active_segment;
  if (!old.position || is_made_anew_ || !knows_all) {
    PG_ASSIGN(const PageContent found, recover_log(quiet, recovery, old));
    position = found.position;
    gaps.below = found.gaps_below;
  }
  totals_.is_offline = failed;
  PG_ASSIGN(const auto plans, plan(position, gaps, failed ? recovery.recovery_point : Offset(INT64_MAX)));
  count(plans);
  PG_ASSIGN(const EpochHistory epochs, read_epoch_history(env_, directory_));
  SegmentRewriter rewriter(env_, directory_, epochs);
  for (const auto& segment : plans) PG_CHECK(rewriter.run(segment));
  PG_CHECK(mend_indexes());
  if (gaps.below > recovery.gaps_below.value_or(Offset(0)))
    PG_CHECK(LogDirectory(env_, spec_.log_directory)
                 .raise_gaps_below(spec_.partition, gaps.below, env_.clock.after(kTimeoutDefault)));
  recovery.gaps_below = gaps.below;
  // What is whole now is all there is to know: that a flush failed no longer matters.
  const auto removed = env_.files.unlink(names::flush_failed(directory_));
  if (!removed && removed.error().code != Errc::not_found) return tl::unexpected(removed.error());
  if (removed) PG_CHECK(env_.files.sync_directory(directory_));
  recovery.flush_failed = false;
  PG_ASSIGN(PageContent content, recover_log(quiet, recovery, {.same_boot = true, .log_end_min = position.log_end}));
  PG_CHECK(mend_checkpoints(recovery, content.position));
  return content;
}

// Makes the checkpoints say neither more than what is there, nor less than what was found.
Result<> Repair::mend_checkpoints(const RecoverySpec& recovery, const LogPosition& found) {
  LogDirectory directory(env_, spec_.log_directory);
  const Deadline deadline = env_.clock.after(kTimeoutDefault);
  PG_CHECK(directory.cut_at(spec_.partition, found.log_end, deadline));
  const bool fits =
      recovery.log_start == found.log_start && recovery.recovery_point <= found.log_end && !recovery.are_lines_lost;
  return fits ? Result<>()
              : directory.store_found(spec_.partition, found.log_start,
                                      std::min(recovery.recovery_point, found.log_end), deadline);
}

// The active segment's are made by the recovery that follows.
Result<> Repair::mend_indexes() {
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  for (size_t i = 0; i + 1 < bases.size(); ++i) {
    PG_ASSIGN(const FileInfo log, env_.files.info(names::segment(directory_, bases[i], SegmentFile::log)));
    LogPosition position;
    position.active_segment = bases[i];
    position.segment_bytes = static_cast<int64_t>(log.size_bytes);
    PG_CHECK(rebuild_indexes(env_, directory_, position, spec_.config.index_interval_bytes, true));
  }
  return {};
}

// The segments that have to be written anew: damaged, missing, or with offsets from `intact_below` on.
Result<std::vector<SegmentRepair>> Repair::plan(const LogPosition& position, const GapRule& gaps,
                                                Offset intact_below) const {
  PG_ASSIGN(const EpochHistory epochs, read_epoch_history(env_, directory_));
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  std::vector<SegmentRepair> plans;
  add_missing(plans, position.log_start, bases.empty() ? position.log_end : bases.front(), gaps);
  for (size_t i = 0; i < bases.size() && bases[i] <= position.active_segment; ++i) {
    const bool is_active = bases[i] == position.active_segment;
    const Offset end = is_active || i + 1 == bases.size() ? position.log_end : bases[i + 1];
    PG_ASSIGN(const auto log, env_.files.open(names::segment(directory_, bases[i], SegmentFile::log), OpenMode::read));
    PG_ASSIGN(const FileInfo info, log->info());
    const uint64_t limit = is_active ? static_cast<uint64_t>(position.segment_bytes) : info.size_bytes;
    PG_ASSIGN(auto segment, plan_segment_repair(*log, limit, bases[i], end, epochs, gaps));
    const Offset held = segment.leave_out_missing_end();
    if (!segment.is_intact() || (held > intact_below && held > segment.base)) plans.push_back(std::move(segment));
    add_missing(plans, held, end, gaps);
  }
  return plans;
}

void Repair::add_missing(std::vector<SegmentRepair>& plans, Offset first, Offset end, const GapRule& gaps) const {
  if (first >= end || gaps.allows(first, end)) return;
  SegmentRepair missing{first, end, {}};
  missing.pieces.push_back({RepairPiece::Kind::lost, 0, 0, first, end, "no segment holds these offsets"});
  plans.push_back(std::move(missing));
}

void Repair::count(const std::vector<SegmentRepair>& plans) {
  for (const auto& segment : plans) {
    ++totals_.rewritten_segments;
    for (const auto& piece : segment.pieces) {
      if (piece.kind == RepairPiece::Kind::intact) continue;
      const bool is_lost = piece.kind == RepairPiece::Kind::lost;
      if (is_lost)
        totals_.lost_offsets += piece.end - piece.first;
      else
        ++totals_.restored;
      log_items_.push_back({names::segment(directory_, segment.base, SegmentFile::log), piece.from,
                            piece.to - piece.from, piece.first, piece.end, is_lost, piece.reason});
    }
  }
}

}  // namespace

Result<RepairTotals> repair_log(const Env& env, const PartitionLog::Spec& spec, bool apply, Deadline deadline,
                                const std::function<void(const RepairItem&)>& report) {
  Repair repair(env, spec);
  PG_CHECK(repair.look(deadline));
  if (apply && !repair.totals().nothing_to_do()) PG_CHECK(repair.apply(deadline));
  repair.report(report);
  return repair.totals();
}

}  // namespace pg
