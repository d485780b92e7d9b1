// PartitionLog::raise_log_start and what follows from it: records are deleted from the log's start, in this order:
// first nobody can ask for them any more, then the segments leave the list, and later their files go.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/log/partition_log.h"
#include "core/log/segment_list.h"
#include "core/os/signals.h"

namespace pg {

// Neither of the two keeps the state while the log is written to: a writer that finds the page stale waits until nobody
// has it.
Result<> PartitionLog::raise_log_start(Offset offset, Deadline deadline) {
  PG_ASSIGN(auto opened, state(deadline));
  const LogPosition position = opened->position();
  const Offset committed = opened->high_watermark();
  opened.reset();
  if (offset <= position.log_start) return {};
  if (offset > committed) {
    return fail(Errc::out_of_range,
                fmt::format("'{}' cannot begin at offset {}: it ends at {}", name_, offset.value, committed.value));
  }
  return set_log_start(offset, true, deadline);
}

Result<> PartitionLog::follow_log_start(Offset offset, Deadline deadline) {
  PG_ASSIGN(auto opened, state(deadline));
  const LogPosition position = opened->position();
  opened.reset();
  if (offset <= position.log_start || offset > position.log_end) return {};
  PG_CHECK(set_log_start(offset, false, deadline));
  const auto removed = delete_old_segments(std::chrono::milliseconds(config().file_delete_delay_ms), deadline);
  return removed || removed.error().code == Errc::timed_out ? Result<>() : tl::unexpected(removed.error());
}

Result<> PartitionLog::set_log_start(Offset offset, bool must_lead, Deadline deadline) {
  // A power cut may take the unflushed end of the active segment. The log would then contradict a log start above that
  // end. A log start in an earlier segment needs no flush: the active segment begins at or above it, and its name is on
  // the disk.
  PG_ASSIGN(auto opened, state(deadline));
  const bool may_be_lost = offset > opened->position().active_segment &&
                           offset > Offset(opened->page().flushed.load(std::memory_order_acquire));
  opened.reset();
  if (may_be_lost) PG_CHECK(flush(deadline));
  // Not known to every process before it is known to the disk: a restart must not bring deleted records back.
  PG_ASSIGN(opened, state(deadline));
  PG_CHECK(LogDirectory(env_, spec_.log_directory)
               .raise_log_start(spec_.partition, offset, deadline,
                                [&](const TopicPartition&) { return !opened->check_not_deleted(); }));
  opened.reset();
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, lock_for_writing(must_lead, deadline));
  if (offset <= writing.position.log_start) return {};
  writing.position.log_start = offset;
  writing.state->publish_and_wake(writing.position);
  return {};
}

Result<> PartitionLog::roll_active(Deadline deadline) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, begin_write(deadline));
  PG_CHECK(check_not_failed(*writing.state));
  return writing.position.segment_bytes == 0 ? Result<>() : roll(writing);
}

Result<PartitionLog::Removed> PartitionLog::delete_old_segments(std::chrono::milliseconds unlink_delay,
                                                                Deadline deadline) {
  PG_ASSIGN(const auto opened, state(deadline));
  const LogPosition position = opened->position();
  const Offset first_kept = std::min(position.log_start, position.active_segment);
  Removed removed;
  PG_ASSIGN(const bool any, has_segments_below(first_kept));
  if (!any) return removed;
  const auto changed = SegmentList(env_, *opened, directory_).change(deadline, [&]() -> Result<> {
    PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
    for (size_t i = 0; i + 1 < bases.size() && bases[i + 1] <= first_kept; ++i) {
      // From the first on, so that an interruption leaves no hole.
      const auto info = env_.files.info(names::segment(directory_, bases[i], names::SegmentFile::log));
      PG_CHECK(set_deleted(env_.files, directory_, bases[i]));
      ++removed.segments;
      if (info) removed.bytes += static_cast<int64_t>(info->size_bytes);
    }
    if (removed.segments > 0) PG_CHECK(env_.files.sync_directory(directory_));
    const bool at_once = unlink_delay.count() == 0;
    return unlink_deleted(env_.files, directory_,
                          at_once ? std::numeric_limits<int64_t>::max() : env_.clock.wall_ms() - unlink_delay.count());
  });
  PG_CHECK(changed);
  return removed;
}

// Whether a segment lies wholly below `offset`, or files of one that was deleted are left.
Result<bool> PartitionLog::has_segments_below(Offset offset) const {
  PG_ASSIGN(const auto entries, env_.files.list(directory_));
  int below = 0;
  for (const auto& entry : entries) {
    const auto name = names::parse_segment(entry);
    if (!name) continue;
    if (name->stage == names::SegmentStage::deleted) return true;
    below += name->kind == names::SegmentFile::log && name->stage == names::SegmentStage::live &&
             name->base_offset <= offset;
  }
  return below > 1;  // the last one of them holds it
}

}  // namespace pg
