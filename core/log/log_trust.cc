// When a PartitionLog believes its state page, and what it does with bytes behind the published end.
//
// A process believes the page if the disk does not contradict it, as far as that can be seen without reading the log
// (page_check.h). It compares both when it opens the partition, and now and then while it has the partition open. A
// difference may be a writer at work, so the process compares once more with the append lock held. It marks a page that
// does not fit. Then every process lets go of the page, and the next one rebuilds it as after a restart of the machine.
//
// Bytes behind the end are what the previous writer did not publish. A torn write is cut off. A whole batch that fits
// is published: nothing tells whether a writer that died has left it or it came with the file. No whole batch is cut
// here.
#include <fmt/format.h>

#include "core/format/path_names.h"
#include "core/log/log_recovery.h"
#include "core/log/partition_log.h"
#include "core/os/signals.h"

namespace pg {
namespace {

// How often the files are compared with a page that somebody keeps open.
constexpr Duration kLookInterval = std::chrono::milliseconds(100);

}  // namespace

bool PartitionLog::is_due_for_a_look() {
  const Deadline now = env_.clock.now();
  const std::lock_guard guard(state_mutex_);
  if (now - looked_ < kLookInterval) return false;
  looked_ = now;
  return true;
}

// Whether the files agree with the page. False: the caller opens it again.
Result<bool> PartitionLog::is_borne_out(PartitionState& state) {
  if (state.is_private_view() || !state.check_not_deleted()) return true;
  const uint64_t sequence = state.page().sequence.load(std::memory_order_acquire);
  PG_ASSIGN(const PageLook look, look_at_files(env_, files(), state.page(), state.position()));
  if (look.fault.empty() && !look.has_tail && !look.log_start) {
    if (state.access() == Access::read_write) {
      state.page().checkpoints.store(look.checkpoints, std::memory_order_relaxed);
      if (look.directory != 0) state.page().directory.store(look.directory, std::memory_order_relaxed);
    }
    return true;
  }
  if (state.access() == Access::read_write) return is_borne_out_alone(state);
  PG_ASSIGN(const bool written, state.locks().is_held(lock_byte::kAppend));
  if (written || state.page().sequence.load(std::memory_order_acquire) != sequence) return true;
  return false;  // a private view will show what the files have
}

// Looks again while nobody appends. A process that appends has looked, or looks at its next batch.
Result<bool> PartitionLog::is_borne_out_alone(PartitionState& state) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(const bool mine, state.locks().try_lock(lock_byte::kAppend, LockMode::exclusive));
  if (!mine) return true;
  struct Unlock {
    LockFile& locks;
    ~Unlock() { locks.unlock(lock_byte::kAppend); }
  } const unlock{state.locks()};
  PG_ASSIGN(const bool stale, state.is_stale());
  if (stale) return false;
  LogPosition position = state.position();
  PG_ASSIGN(const PageLook look, look_at_files(env_, files(), state.page(), position));
  if (!look.fault.empty()) {
    distrust(state, look.fault);
    return false;
  }
  if (look.log_start) {
    position.log_start = *look.log_start;
    state.publish_and_wake(position);
  }
  if (!look.has_tail || state.page().cutting.load() != 0) return true;
  const std::string path = names::segment(directory_, position.active_segment, names::SegmentFile::log);
  PG_ASSIGN(const auto log, env_.files.open(path, OpenMode::read));
  PG_ASSIGN(const FileInfo info, log->info());
  PG_ASSIGN(const TailLook behind, look_behind_end(*log, info.size_bytes, position, state.page()));
  // A torn write is left to the next writer: no reader can see it, so a reader need not change the file.
  return behind.tail == Tail::none || behind.tail == Tail::torn ? Result<bool>(true) : settle_end(state, position);
}

void PartitionLog::distrust(PartitionState& state, const std::string& why) {
  if (state.page().untrusted.exchange(StatePage::kOlder, std::memory_order_acq_rel) == StatePage::kOlder) return;
  env_.notice(fmt::format("the state of '{}' does not fit its files ({}): it is rebuilt from them", name_, why));
}

// With the append lock held: makes the files and the page agree on where the log ends, and opens the active segment.
// False: the page must not be trusted.
Result<bool> PartitionLog::settle_end(PartitionState& state, LogPosition& position) {
  PG_ASSIGN(const bool rolled_alone, clear_unfinished_roll(state, position));
  if (!rolled_alone) return false;
  if (state.page().cutting.load(std::memory_order_acquire) != 0) PG_CHECK(finish_cut(state, position));
  PG_ASSIGN(const bool trusted, open_active(state, position));
  uint32_t nobody_said_why = 0;
  if (!trusted) state.page().untrusted.compare_exchange_strong(nobody_said_why, StatePage::kAhead);
  return trusted;
}

// A writer that died while it rolled left a mark, and perhaps files that nobody has written to.
Result<bool> PartitionLog::clear_unfinished_roll(PartitionState& state, const LogPosition& position) {
  const int64_t mark = state.page().rolling.load(std::memory_order_acquire);
  if (mark == 0) return true;
  const Offset base(mark - 1);
  // A roll begins at the log's end; a mark of another place is no writer's, and no reason to remove anything.
  if (base == position.log_end && base != position.active_segment) {
    PG_ASSIGN(const bool taken, holds_records(env_.files, directory_, base));
    if (taken) {
      distrust(state, fmt::format("a segment with records begins at its end, offset {}", base.value));
      return false;
    }
    PG_CHECK(remove_segment(env_.files, directory_, base));
  }
  state.page().rolling.store(0, std::memory_order_release);
  return true;
}

// Ends a replica's cut that was interrupted: removes what it had left.
Result<> PartitionLog::finish_cut(PartitionState& state, const LogPosition& position) {
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  for (auto base = bases.rbegin(); base != bases.rend() && *base > position.active_segment; ++base) {
    PG_CHECK(remove_segment(env_.files, directory_, *base));
  }
  PG_CHECK(env_.files.sync_directory(directory_));
  PG_ASSIGN(active_, open_active_segment(env_, directory_, position.active_segment));
  PG_ASSIGN(const FileInfo log, active_.log->info());
  const auto published = static_cast<uint64_t>(position.segment_bytes);
  if (log.size_bytes > published) PG_CHECK(active_.log->truncate(published));
  PG_CHECK(active_.log->sync());
  active_ = {};
  state.page().cutting.store(0, std::memory_order_release);
  return {};
}

// Opens the files of the active segment, if they are not open, and compares them with what is published. False: they
// hold less than was published, or are other files, so the page must not be trusted.
Result<bool> PartitionLog::open_active(PartitionState& state, LogPosition& position) {
  for (;;) {
    const bool opened = !active_.log || active_.base != position.active_segment;
    if (opened) {
      auto segment = open_active_segment(env_, directory_, position.active_segment);
      if (!segment && segment.error().code == Errc::not_found) return false;
      PG_ASSIGN(active_, std::move(segment));
      PG_ASSIGN(const bool is_it, is_published_file(state.page()));
      if (!is_it) distrust(state, kOtherFile);
      if (!is_it) return false;
    }
    PG_ASSIGN(const FileInfo log, active_.log->info());
    if (log.links == 0 && !opened) {
      active_ = {};
      continue;
    }
    const auto published = static_cast<uint64_t>(position.segment_bytes);
    if (log.size_bytes < published) return false;
    if (opened) {
      PG_ASSIGN(const FileInfo offsets, active_.offset_index->info());
      PG_ASSIGN(const FileInfo times, active_.time_index->info());
      if (std::cmp_less(offsets.size_bytes, position.offset_index_bytes) ||
          std::cmp_less(times.size_bytes, position.time_index_bytes)) {
        PG_CHECK(rebuild_indexes(env_, directory_, position, config().index_interval_bytes, false));
      }
    }
    return log.size_bytes > published ? take_tail(state, position) : Result<bool>(true);
  }
}

// Whether the active segment, just opened, is the file that was published.
Result<bool> PartitionLog::is_published_file(StatePage& page) {
  PG_ASSIGN(const FileInfo info, env_.files.info(active_.log->path()));
  const uint64_t file = file_number(info);
  if (page.file_of.load(std::memory_order_relaxed) == active_.base.value + 1)
    return page.file.load(std::memory_order_relaxed) == file;
  page.file_of.store(0, std::memory_order_release);
  page.file.store(file, std::memory_order_release);
  page.file_of.store(active_.base.value + 1, std::memory_order_release);
  return true;
}

// The active .log is longer than was published.
Result<bool> PartitionLog::take_tail(PartitionState& state, LogPosition& position) {
  PG_ASSIGN(const FileInfo log, active_.log->info());
  PG_ASSIGN(const TailLook behind, look_behind_end(*active_.log, log.size_bytes, position, state.page()));
  if (behind.tail == Tail::more) {
    distrust(state, fmt::format("whole batches lie behind its end, offset {}", position.log_end.value));
    return false;
  }
  if (behind.tail == Tail::batch) {
    // A synced batch was published before. So if the recovery point is above the end, the page is older than the log.
    PG_ASSIGN(const auto point, LogDirectory(env_, spec_.log_directory).recovery_point(spec_.partition));
    if (point && position.log_end < *point) {
      distrust(state, ends_below_recovery_point(position.log_end));
      return false;
    }
    publish_written(state, position, behind.batch, behind.batch.max_timestamp_ms, config());
    return true;
  }
  PG_CHECK(active_.log->truncate(static_cast<uint64_t>(position.segment_bytes)));
  // In a replicated log other bytes may come to this place, of a later epoch, which is said to begin here before any of
  // them is on the disk. Should a power cut bring the old ones back then, they would count as that epoch's.
  if (spec_.replicated) PG_CHECK(active_.log->sync());
  return true;
}

}  // namespace pg
