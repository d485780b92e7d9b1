// What a broker does to its own replica of a partition: follow a leader, cut what the leader has not got, append the
// same bytes, lead. Only the replica's broker calls these, from one thread.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/log_recovery.h"
#include "core/log/partition_log.h"
#include "core/log/replica_words.h"
#include "core/log/segment_list.h"
#include "core/os/signals.h"

namespace pg {
Result<> PartitionLog::follow(LeaderEpoch epoch, Deadline deadline) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, begin_write(deadline));
  StatePage& page = writing.state->page();
  // Who was fenced below a later epoch may follow in this one: the election may have come to nothing.
  if (page.leader_epoch.load() > epoch.value) {
    return fail(Errc::fenced, fmt::format("a newer leader of '{}' exists", name_), directory_);
  }
  end_leading(page);
  // The role goes first: nobody may take the new epoch for one that this replica leads in.
  page.role.store(static_cast<uint32_t>(Role::follower));
  page.leader_epoch.store(epoch.value);
  writing.state->fence(epoch);
  PG_ASSIGN(epochs_, read_epoch_history(env_, directory_));
  return env_.files.sync_directory(directory_);  // whoever has written them may have died before they were on the disk
}

Result<> PartitionLog::truncate_to(Offset end, bool committed_too, Deadline deadline) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, begin_write(deadline));
  if (end >= writing.position.log_end) return {};
  auto& high_watermark = writing.state->page().high_watermark;
  const Offset committed(high_watermark.load());
  if (end < committed) {
    if (!committed_too)
      return fail(
          Errc::conflict,
          fmt::format("'{}' cannot be cut at {}: records below {} are committed", name_, end.value, committed.value),
          directory_);
    high_watermark.store(end.value);
  }
  PG_ASSIGN(const HeldLock flush_lock,
            HeldLock::acquire(writing.state->locks(), lock_byte::kFlush, LockMode::exclusive, deadline));
  active_ = {};  // should this end halfway, the next writer compares its indexes with what is published
  // A compaction that has not swapped its segments in by now no longer does. So the position that is measured next
  // stays right.
  writing.state->page().truncations.fetch_add(1);
  PG_CHECK(SegmentList(env_, *writing.state, directory_).keep(deadline));
  PG_ASSIGN(LogPosition kept, position_at(end, writing.position));
  return replace_end(writing, kept, deadline);
}

Result<> PartitionLog::restart_at(Offset start, Deadline deadline) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, begin_write(deadline));
  PG_ASSIGN(const HeldLock flush_lock,
            HeldLock::acquire(writing.state->locks(), lock_byte::kFlush, LockMode::exclusive, deadline));
  StatePage& page = writing.state->page();
  page.high_watermark.store(std::min(page.high_watermark.load(), start.value));
  page.cutting.store(1);
  page.file_of.store(0);  // the segment may get a name that another file had
  LogPosition empty;
  empty.active_segment = empty.log_end = empty.log_start = start;
  const auto make_segment = [&]() -> Result<> {
    if (writing.position.active_segment == start) return {};
    PG_CHECK(remove_segment(env_.files, directory_, start));
    return create_segment(env_.files, directory_, start);
  };
  // A log start above the log's end is believed only where a segment begins there.
  const bool above = start > writing.position.log_end;
  if (above) PG_CHECK(make_segment());
  PG_CHECK(LogDirectory(env_, spec_.log_directory).restart_at(spec_.partition, start, deadline));
  if (!above) PG_CHECK(make_segment());
  PG_CHECK(replace_end(writing, empty, deadline));
  page.high_watermark.store(start.value);
  page.damaged.store(0);
  return {};
}

// Where the log would stand if it ended at `end`: the position in the segment that holds it, with its indexes made
// anew.
Result<LogPosition> PartitionLog::position_at(Offset end, const LogPosition& now) {
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  LogPosition kept;
  kept.active_segment = segment_of(bases, end).value_or(now.active_segment);
  kept.log_start = std::min(now.log_start, end);
  kept.log_end = kept.active_segment;
  PG_ASSIGN(const auto log,
            env_.files.open(names::segment(directory_, kept.active_segment, names::SegmentFile::log), OpenMode::read));
  PG_ASSIGN(const FileInfo info, log->info());
  BatchScanner scanner(*log);
  for (;;) {
    PG_ASSIGN(const auto batch, scanner.next_header(info.size_bytes));
    if (!batch || batch->header.end_offset() > end) break;
    scanner.skip(*batch);
    kept.log_end = batch->header.end_offset();
  }
  kept.segment_bytes = static_cast<int64_t>(scanner.position());
  PG_CHECK(rebuild_indexes(env_, directory_, kept, config().index_interval_bytes, false));
  return kept;
}

// Readers learn of the new end before any byte goes. A process that dies in between leaves a mark, and bytes and
// segments behind the end, which the next writer removes.
Result<> PartitionLog::replace_end(Writing& writing, const LogPosition& kept, Deadline deadline) {
  StatePage& page = writing.state->page();
  page.cutting.store(1);
  // In this order: whoever raises the recovery point looks at `flushed` under the checkpoint's lock.
  page.flushed.store(std::min(page.flushed.load(), kept.log_end.value));
  PG_CHECK(LogDirectory(env_, spec_.log_directory).cut_at(spec_.partition, kept.log_end, deadline));
  page.truncations.fetch_add(1);
  writing.state->publish_and_wake(kept);
  writing.position = kept;
  active_ = {};
  sync_file_.reset();
  const auto changed = SegmentList(env_, *writing.state, directory_).change(deadline, [&]() -> Result<> {
    PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
    for (auto base = bases.rbegin(); base != bases.rend(); ++base) {
      const bool stays =
          *base <= kept.active_segment && (kept.log_end != kept.log_start || *base == kept.active_segment);
      if (!stays) PG_CHECK(remove_segment(env_.files, directory_, *base));
    }
    PG_CHECK(env_.files.sync_directory(directory_));
    PG_ASSIGN(active_, open_active_segment(env_, directory_, kept.active_segment));
    PG_CHECK(active_.log->truncate(static_cast<uint64_t>(kept.segment_bytes)));
    return active_.log->sync();
  });
  PG_CHECK(changed);
  page.cutting.store(0);
  PG_ASSIGN(EpochHistory epochs, read_epoch_history(env_, directory_));
  const bool empty = kept.log_end == kept.log_start;
  std::erase_if(epochs, [&](const EpochStart& entry) { return empty || entry.start_offset >= kept.log_end; });
  return store_epochs(std::move(epochs));
}

Result<> PartitionLog::append_replicated(ByteView batch, LeaderEpoch epoch, Deadline deadline) {
  const BatchHeader header = read_batch_header(batch);
  std::shared_ptr<PartitionState> state;
  bool rolled = false;
  {
    const NoJobStop no_job_stop;
    PG_ASSIGN(Writing writing, begin_write(deadline));
    const StatePage& page = writing.state->page();
    PG_CHECK(check_not_failed(*writing.state));
    if (page.role.load() != static_cast<uint32_t>(Role::follower) || page.leader_epoch.load() != epoch.value) {
      return fail(Errc::fenced, fmt::format("this replica of '{}' no longer follows in epoch {}", name_, epoch.value),
                  directory_);
    }
    if (header.base_offset != writing.position.log_end &&
        !writing.state->gaps().allows(writing.position.log_end, header.base_offset)) {
      return fail(Errc::conflict,
                  fmt::format("'{}' ends at {}: a batch of offset {} does not fit", name_,
                              writing.position.log_end.value, header.base_offset.value),
                  directory_);
    }
    if (epochs_.empty()) {
      PG_ASSIGN(epochs_, read_epoch_history(env_, directory_));
    }
    const bool has_epoch =
        header.leader_epoch >= LeaderEpoch(0);  // a log that was copied in may have -1, as a client sent it
    EpochHistory epochs = has_epoch ? with_batch(epochs_, header.leader_epoch, header.base_offset) : epochs_;
    if (epochs != epochs_) PG_CHECK(store_epochs(std::move(epochs)));
    PG_CHECK(pass_gap(writing, header.base_offset, deadline));
    const LogConfig config = this->config();
    if (must_roll(writing.position, header, header.max_timestamp_ms, config)) {
      PG_CHECK(roll(writing));
      rolled = true;
    }
    PG_CHECK(write_batch(writing, batch, header, header.max_timestamp_ms, config));
    state = writing.state;
  }
  if (rolled) raise_recovery_point(*state, Offset(state->page().flushed.load(std::memory_order_acquire)));
  return {};
}

// Lets the log go on at `next`. The checkpoint that allows the gap is on the disk before the batch, and covers all gaps
// of the leader's log at once.
Result<> PartitionLog::pass_gap(Writing& writing, Offset next, Deadline deadline) {
  if (writing.position.log_end == next) return {};
  const Offset below = writing.state->gaps().below;
  if (gaps_stored_ < below) {
    PG_CHECK(LogDirectory(env_, spec_.log_directory).raise_gaps_below(spec_.partition, below, deadline));
    writing.state->allow_gaps(below);
    gaps_stored_ = below;
  }
  writing.position.log_end = next;
  return {};
}

// An epoch is on the disk before any batch of it is. Whoever fails here tries again: only what was stored counts as
// known.
Result<> PartitionLog::store_epochs(EpochHistory epochs) {
  PG_CHECK(env_.files.replace(names::epoch_checkpoint(directory_), write_epoch_history(epochs)));
  epochs_ = std::move(epochs);
  return {};
}

Result<> PartitionLog::lead(const Leadership& leadership, Deadline deadline) {
  const NoJobStop no_job_stop;
  PG_ASSIGN(Writing writing, begin_write(deadline));
  StatePage& page = writing.state->page();
  const LeaderEpoch epoch = leadership.epoch;
  PG_CHECK(check_not_failed(*writing.state));
  if (page.fenced.load() > epoch.value || page.leader_epoch.load() >= epoch.value) {
    return fail(Errc::fenced, fmt::format("a newer leader of '{}' exists", name_), directory_);
  }
  PG_ASSIGN(EpochHistory epochs, read_epoch_history(env_, directory_));
  open_epoch(epochs, epoch, writing.position.log_end);
  PG_CHECK(store_epochs(std::move(epochs)));
  end_leading(page);
  page.role.store(static_cast<uint32_t>(Role::follower));
  page.min_in_sync.store(static_cast<uint32_t>(leadership.min_in_sync));
  open_slots(page, leadership.replicas, leadership.leader, leadership.in_sync, epoch);
  page.leader_epoch.store(epoch.value);
  page.unclean.store(0);
  page.role.store(static_cast<uint32_t>(Role::leader));
  writing.state->fence(epoch);  // wakes who waits for a leader
  return {};
}

Result<> PartitionLog::await_appends(Deadline deadline) {
  const NoJobStop no_job_stop;
  return begin_write(deadline).map([](const Writing&) {});
}

void PartitionLog::ask_flush(Offset end) {
  const auto state = current_state();
  if (!state || !state->check_writable() || state->page().flush_wanted.load() >= end.value) return;
  raise(state->page().flush_wanted, end.value);
  state->wake_followers();
}

Result<> PartitionLog::wait_committed(const Appended& appended, bool flushed, Deadline deadline) {
  PG_ASSIGN(const auto opened, state(deadline));
  PartitionState& state = *opened;
  if (flushed) ask_flush(appended.end_offset);
  StopPatience stop;
  for (;;) {
    const WakeWord word = state.prepare_to_sleep();
    const Reached reached = state.has_reached(appended.leader_epoch, appended.end_offset, flushed);
    if (reached == Reached::unknown) {
      return fail(Errc::fenced, fmt::format("the leader of '{}' changed: records may have been written", name_),
                  directory_);
    }
    if (reached == Reached::yes) return {};
    PG_CHECK(state.check_not_deleted());
    PG_ASSIGN(const bool stale, state.is_stale());
    if (stale)
      return fail(Errc::fenced, fmt::format("the state of '{}' was replaced: records may have been written", name_),
                  directory_);
    if (stop.is_over(env_.clock))
      return fail(Errc::interrupted, fmt::format("interrupted before the replicas of '{}' had the records", name_),
                  directory_);
    if (env_.clock.now() >= deadline)
      return fail(Errc::timed_out,
                  fmt::format("timed out waiting for the replicas of '{}': records may have been written", name_),
                  directory_);
    env_.clock.wait({&word, 1}, std::min<Duration>(kSleepPollInterval, time_left(deadline, env_.clock.now())));
  }
}

}  // namespace pg
