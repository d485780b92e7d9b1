#include "core/log/segment_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/segment_files.h"
#include "core/os/signals.h"

namespace pg {
namespace {

using names::SegmentFile;
using names::SegmentStage;

constexpr Duration kSettlePoll = std::chrono::milliseconds(5);

// rename, where a file that is not there (any more) is no error: what is repeated after a crash finds half of it done.
Result<> rename_if_there(FileSystem& files, const std::string& from, const std::string& to) {
  auto renamed = files.rename(from, to);
  if (!renamed && renamed.error().code == Errc::not_found) return {};
  return renamed;
}

// Behind the last offset that a segment file holds.
Result<Offset> end_of_segment(FileSystem& files, const std::string& path, Offset base) {
  PG_ASSIGN(const auto file, files.open(path, OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  BatchScanner scanner(*file);
  Offset end = base;
  for (;;) {
    PG_ASSIGN(const auto batch, scanner.next_header(info.size_bytes));
    if (!batch) return end;
    end = batch->header.end_offset();
    scanner.skip(*batch);
  }
}

// The .swap of `base` takes its place. The indexes go first: an old .log with a new index is only slow, and so a
// .log.swap that is left tells that the work is not done.
Result<> finish_swap(FileSystem& files, const std::string& directory, Offset base) {
  const auto path = [&](SegmentFile kind, SegmentStage stage) { return names::segment(directory, base, kind, stage); };
  PG_ASSIGN(const Offset end, end_of_segment(files, path(SegmentFile::log, SegmentStage::swap), base));
  PG_ASSIGN(const auto bases, list_segments(files, directory));
  for (const Offset other : bases) {
    if (other > base && other < end) PG_CHECK(set_deleted(files, directory, other));
  }
  for (const auto kind : {SegmentFile::offset_index, SegmentFile::time_index}) {
    PG_CHECK(rename_if_there(files, path(kind, SegmentStage::swap), path(kind, SegmentStage::live)));
  }
  PG_CHECK(files.sync_directory(directory));
  PG_CHECK(files.rename(path(SegmentFile::log, SegmentStage::swap), path(SegmentFile::log, SegmentStage::live)));
  return files.sync_directory(directory);
}

}  // namespace

Result<uint64_t> SegmentList::settled() {
  const Deadline deadline = env_.clock.after(kTimeoutDefault);
  for (;;) {
    const uint64_t counter = state_.page().segment_list.load(std::memory_order_seq_cst);
    if ((counter & 1) == 0) return counter;
    if (state_.access() == Access::read_write) {
      const NoJobStop no_job_stop;
      PG_ASSIGN(const bool mine, state_.locks().try_lock(lock_byte::kSegmentList, LockMode::exclusive));
      if (mine) {
        const auto finished = finish();
        state_.locks().unlock(lock_byte::kSegmentList);
        PG_CHECK(finished);
        continue;
      }
    }
    if (env_.clock.now() >= deadline) {
      return fail(Errc::busy, "another process has begun to change the list of segments and does not end (stopped?)",
                  directory_);
    }
    env_.clock.wait({}, kSettlePoll);
  }
}

Result<HeldLock> SegmentList::keep(Deadline deadline) {
  if (state_.is_private_view()) return HeldLock();
  for (;;) {
    PG_CHECK(settled());
    PG_ASSIGN(auto lock, HeldLock::acquire(state_.locks(), lock_byte::kSegmentList, LockMode::shared, deadline));
    if ((state_.page().segment_list.load(std::memory_order_seq_cst) & 1) == 0) return lock;
  }
}

Result<> SegmentList::change(Deadline deadline, const std::function<Result<>()>& alter) {
  PG_CHECK(state_.check_writable());
  const NoJobStop no_job_stop;
  PG_ASSIGN(const HeldLock lock,
            HeldLock::acquire(state_.locks(), lock_byte::kSegmentList, LockMode::exclusive, deadline));
  PG_CHECK(finish());
  auto& counter = state_.page().segment_list;
  counter.fetch_add(1, std::memory_order_seq_cst);
  // After an error the counter stays odd: whoever comes next brings the files into order before they are believed.
  PG_CHECK(alter());
  counter.fetch_add(1, std::memory_order_seq_cst);
  return {};
}

// With the lock held.
Result<> SegmentList::finish() {
  auto& counter = state_.page().segment_list;
  if ((counter.load(std::memory_order_seq_cst) & 1) == 0) return {};
  PG_CHECK(finish_swaps(env_.files, directory_));
  counter.fetch_add(1, std::memory_order_seq_cst);
  return {};
}

Result<> finish_swaps(FileSystem& files, const std::string& directory) {
  PG_ASSIGN(const auto entries, files.list(directory));
  for (const auto& entry : entries) {
    const auto name = names::parse_segment(entry);
    if (name && name->stage == SegmentStage::swap && name->kind == SegmentFile::log) {
      PG_CHECK(finish_swap(files, directory, name->base_offset));
    }
  }
  // Indexes of a swap that did not begin: its .log had not got its name when the power went.
  for (const auto& entry : entries) {
    const auto name = names::parse_segment(entry);
    if (!name || name->stage != SegmentStage::swap || name->kind == SegmentFile::log) continue;
    const auto removed = files.unlink(names::segment(directory, name->base_offset, name->kind, name->stage));
    if (!removed && removed.error().code != Errc::not_found) return removed;
  }
  return {};
}

Result<> set_deleted(FileSystem& files, const std::string& directory, Offset base) {
  // The .log last: as long as it is there, the segment is in the list, and may be set deleted again.
  for (const auto kind :
       {SegmentFile::snapshot, SegmentFile::time_index, SegmentFile::offset_index, SegmentFile::log}) {
    const std::string path = names::segment(directory, base, kind);
    auto taken = rename_if_there(files, path, names::segment(directory, base, kind, SegmentStage::deleted));
    // A full directory has no room for a longer name. Then the file is deleted at once.
    if (!taken && taken.error().code == Errc::no_space) taken = files.unlink(path);
    PG_CHECK(taken);
  }
  return {};
}

Result<> unlink_deleted(FileSystem& files, const std::string& directory, int64_t before_ms) {
  PG_ASSIGN(const auto entries, files.list(directory));
  for (const auto& entry : entries) {
    const auto name = names::parse_segment(entry);
    if (!name || name->stage != SegmentStage::deleted) continue;
    const std::string path = names::segment(directory, name->base_offset, name->kind, name->stage);
    const auto info = files.info(path);
    if (info && info->changed_ms >= before_ms) continue;
    const auto removed = files.unlink(path);
    if (!removed && removed.error().code != Errc::not_found) return removed;
  }
  return {};
}

}  // namespace pg
