// PartitionLog::flush: one fdatasync for all who wait for one, also across processes.
//
// The flush lock is tried. Who gets it syncs everything written so far; who does not sleeps until the flushed offset
// moves, and looks again. A holder that died left `flushing` set: its sync may have failed with nobody to hear it, and
// a later one would then succeed without the data. So who finds that mark writes the bytes again before syncing them.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/partition_log.h"
#include "core/os/signals.h"

namespace pg {
namespace {

constexpr Duration kFlushPoll = std::chrono::milliseconds(20);

// A rebuilt page no longer says that a flush failed. A file says so until 'pg-topic repair' removes it. The disk may
// refuse a new file, too; a second name for a file that exists needs the least space. If that fails as well, only the
// page says it.
void mark_flush_failed(FileSystem& files, const std::string& directory) {
  const std::string mark = names::flush_failed(directory);
  const auto made = files.open(mark, OpenMode::create);
  if (made) (void)(*made)->sync();
  if (!made) (void)files.link(names::partition_metadata(directory), mark);
  (void)files.sync_directory(directory);
}

// Reads the batches that end above `from` back, and writes the same bytes to the same place. `bytes`: the size that
// counts, empty for the whole file.
Result<> write_again(File& log, Offset from, std::optional<int64_t> bytes) {
  PG_ASSIGN(const FileInfo info, log.info());
  const uint64_t limit = bytes ? static_cast<uint64_t>(*bytes) : info.size_bytes;
  BatchScanner scanner(log);
  for (;;) {
    PG_ASSIGN(const auto batch, scanner.next(limit));
    if (!batch) return {};
    if (batch->header.end_offset() > from) PG_CHECK(log.write_at(batch->position, batch->bytes));
  }
}

}  // namespace

Result<Offset> PartitionLog::flush(Deadline deadline) {
  PG_ASSIGN(const auto opened, state(deadline));
  StatePage& page = opened->page();  // written only after check_writable()
  const Offset wanted = opened->position().log_end;
  for (;;) {
    PG_CHECK(check_not_failed(*opened));
    const Offset flushed(page.flushed.load(std::memory_order_acquire));
    if (flushed >= wanted) return flushed;
    PG_CHECK(opened->check_writable());
    const WakeWord word{&page.flush_word, page.flush_word.load(std::memory_order_acquire)};
    const NoJobStop no_job_stop;
    PG_ASSIGN(const bool mine, opened->locks().try_lock(lock_byte::kFlush, LockMode::exclusive));
    if (mine) {
      page.flush_since_ms.store(env_.clock.wall_ms(), std::memory_order_relaxed);
      const auto done = flush_holding_lock(*opened);
      opened->locks().unlock(lock_byte::kFlush);
      page.flush_word.fetch_add(1, std::memory_order_release);
      env_.clock.wake(page.flush_word);
      return done;
    }
    if (stop_is_overdue())
      return fail(Errc::interrupted, fmt::format("interrupted while another process flushes '{}'", name_), directory_);
    if (env_.clock.now() >= deadline) {
      return fail(Errc::timed_out, fmt::format("timed out waiting for another process to flush '{}'", name_),
                  directory_);
    }
    env_.clock.wait({&word, 1}, kFlushPoll);
  }
}

Result<> PartitionLog::check_not_failed(const PartitionState& state) const {
  if (state.page().failed.load(std::memory_order_acquire) == 0) return {};
  return fail(Errc::io,
              fmt::format("partition '{}' is offline since a flush to disk failed: see 'pg-topic repair'", name_),
              directory_);
}

Result<Offset> PartitionLog::flush_holding_lock(PartitionState& state) {
  StatePage& page = state.page();
  const bool holder_died = page.flushing.exchange(1, std::memory_order_acq_rel) != 0;
  const LogPosition end = state.position();
  const Offset from(page.flushed.load(std::memory_order_acquire));
  const auto synced = from < end.log_end ? sync_segments(state, from, end, holder_died) : Result<>();
  if (!synced) return tl::unexpected(synced.error());  // `flushing` stays set: nothing is known of those bytes
  // Nobody has cut the log meanwhile, since a cut holds the flush lock, too.
  page.flushed.store(std::max(from, end.log_end).value, std::memory_order_release);
  page.flushing.store(0, std::memory_order_release);
  return end.log_end;
}

Result<> PartitionLog::sync_segments(PartitionState& state, Offset from, const LogPosition& end, bool rewrite) {
  // Mostly everything unflushed is in the active segment: then its file, kept open, is all that is needed.
  std::vector<Offset> bases{end.active_segment};
  if (from < end.active_segment) {
    PG_ASSIGN(bases, list_segments(env_.files, directory_));
  }
  const Offset first = segment_of(bases, from).value_or(bases.front());
  for (const Offset base : bases) {
    if (base < first || base > end.active_segment) continue;
    const auto opened = open_for_sync(base);
    // Deleted meanwhile, or compacted, which syncs what it leaves.
    if (!opened && opened.error().code == Errc::not_found && base != end.active_segment) continue;
    PG_CHECK(opened);
    if (rewrite)
      PG_CHECK(
          write_again(*sync_file_, from, base == end.active_segment ? std::optional(end.segment_bytes) : std::nullopt));
    const auto synced = sync_file_->sync();
    if (!synced) {
      // The kernel has dropped what it could not write and will not say so again: never ask it twice.
      state.page().failed.store(1, std::memory_order_seq_cst);
      mark_flush_failed(env_.files, directory_);
      env_.notice(fmt::format("partition '{}' is offline: {}", name_, synced.error().message()));
      return synced;
    }
  }
  return {};
}

Result<> PartitionLog::open_for_sync(Offset base) {
  if (sync_file_ && sync_base_ == base) {
    PG_ASSIGN(const FileInfo info, sync_file_->info());
    if (info.links > 0) return {};
  }
  PG_ASSIGN(sync_file_, env_.files.open(names::segment(directory_, base, names::SegmentFile::log), OpenMode::write));
  sync_base_ = base;
  return {};
}

}  // namespace pg
