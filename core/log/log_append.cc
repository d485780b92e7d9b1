// PartitionLog::append: the append lock, the checks inside it, the write, and rolling to a new segment.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/format/path_names.h"
#include "core/log/log_recovery.h"
#include "core/log/partition_log.h"
#include "core/log/producer_state.h"
#include "core/log/retention.h"
#include "core/os/signals.h"

namespace pg {

Result<Appended> PartitionLog::append(MutableBytes batch, Deadline deadline) {
  PG_ASSIGN(auto appended, append_unless_moved(nullptr, batch, deadline));
  PG_ASSERT(appended.has_value());
  return std::move(*appended);
}

Result<std::optional<Appended>> PartitionLog::append_if(const LogEnd& seen, MutableBytes batch, Deadline deadline) {
  return append_unless_moved(&seen, batch, deadline);
}

// `seen`: where the log must still end; nullptr: anywhere.
Result<std::optional<Appended>> PartitionLog::append_unless_moved(const LogEnd* seen, MutableBytes batch,
                                                                  Deadline deadline) {
  const BatchHeader header = read_batch_header(batch);
  PG_ASSERT(batch_header_fault(header) == nullptr && header.size_bytes() == batch.size());
  PG_CHECK(refresh_config(false));
  const LogConfig config = this->config();
  if (std::cmp_greater(batch.size(), config.max_message_bytes)) {
    return fail(Errc::limit, fmt::format("a batch of {} bytes is larger than max.message.bytes={} of topic '{}'",
                                         batch.size(), config.max_message_bytes, spec_.partition.topic));
  }
  std::shared_ptr<PartitionState> state;
  Appended appended;
  bool rolled = false;
  for (bool is_first = true; !state; is_first = false) {
    const NoJobStop no_job_stop;
    PG_ASSIGN(Writing writing, begin_append(deadline));
    const LogEnd end{writing.position.log_end, writing.state->leader_epoch()};
    if (seen != nullptr && *seen != end) return std::nullopt;
    const Offset segment = writing.position.active_segment;
    auto done = append_holding_lock(writing, batch, header, config);
    // A roll has found that the page is older than its files, and nothing was written: once more, with a page that was
    // rebuilt.
    const bool is_older = !done && is_first && writing.state->page().untrusted.load() == StatePage::kOlder;
    if (is_older) continue;
    PG_CHECK(done);
    appended = std::move(*done);
    rolled = writing.position.active_segment != segment;
    state = writing.state;
  }
  const Offset flushed(state->page().flushed.load(std::memory_order_acquire));
  if (rolled) raise_recovery_point(*state, flushed);
  if (rolled) retain(*state);
  if (appended.end_offset - flushed < config.flush_messages) return appended;
  const auto done = flush(deadline);
  // The batch is published, so its producer must not send it again. With more replicas, the waiting producer gets the
  // error.
  if (!done && !spec_.replicated) appended.not_flushed = done.error();
  return appended;
}

Result<Appended> PartitionLog::append_holding_lock(Writing& writing, MutableBytes batch, const BatchHeader& header,
                                                   const LogConfig& config) {
  const bool log_append_time = config.timestamp_type == TimestampType::log_append;
  const int64_t max_timestamp_ms = log_append_time ? env_.clock.wall_ms() : header.max_timestamp_ms;
  if (writing.position.log_end.value > kOffsetMax - kBatchBytesMax) {
    return fail(Errc::limit,
                fmt::format("'{}' ends at offset {}, and there is none behind {}", name_,
                            writing.position.log_end.value, kOffsetMax),
                directory_);
  }
  if (must_roll(writing.position, header, max_timestamp_ms, config)) PG_CHECK(roll(writing));

  LogPosition& position = writing.position;
  const Offset base_offset = position.log_end;
  const LeaderEpoch epoch = writing.state->leader_epoch();
  if (log_append_time) stamp_log_append_time(batch, max_timestamp_ms);
  stamp_batch(batch, base_offset, epoch);
  PG_CHECK(write_batch(writing, batch, header, max_timestamp_ms, config));
  return Appended{base_offset, position.log_end, epoch};
}

Result<> PartitionLog::write_batch(Writing& writing, ByteView batch, const BatchHeader& header,
                                   int64_t max_timestamp_ms, const LogConfig& config) {
  LogPosition& position = writing.position;
  const auto written = active_.log->write_at(static_cast<uint64_t>(position.segment_bytes), batch);
  if (!written) {
    // Nothing is half-done: the bytes that did get written go before anybody else may append. Should even this fail,
    // the next writer finds a file longer than what is published and cuts off the rest, which is no whole batch.
    (void)active_.log->truncate(static_cast<uint64_t>(position.segment_bytes));
    return tl::unexpected(written.error());
  }
  publish_written(*writing.state, position, header, max_timestamp_ms, config);
  return {};
}

// Makes a batch that is at the end of the active segment a part of the log.
void PartitionLog::publish_written(PartitionState& state, LogPosition& position, const BatchHeader& header,
                                   int64_t max_timestamp_ms, const LogConfig& config) {
  position.log_end = position.log_end + header.last_offset_delta + 1;
  IndexWriter(*active_.offset_index, *active_.time_index, config.index_interval_bytes)
      .add_batch(position, position.log_end + -1, max_timestamp_ms, static_cast<int64_t>(header.size_bytes()));
  if (header.producer.id >= 0) ++position.producer_batches;
  if (header.is_transactional()) state.page().transactional.store(StatePage::some, std::memory_order_relaxed);
  state.publish_and_wake(position);
}

Result<PartitionLog::Writing> PartitionLog::begin_append(Deadline deadline) { return lock_for_writing(true, deadline); }

Result<PartitionLog::Writing> PartitionLog::begin_write(Deadline deadline) { return lock_for_writing(false, deadline); }

Result<PartitionLog::Writing> PartitionLog::lock_for_writing(bool must_lead, Deadline deadline) {
  for (;;) {
    Writing writing;
    writing.state = current_state();
    if (!writing.state) {
      PG_ASSIGN(writing.state, state(deadline));
    }
    PartitionState& state = *writing.state;
    if (state.no_space()) return tl::unexpected(*state.no_space());
    if (state.access() == Access::read_only) {
      return fail(Errc::io, fmt::format("cannot append to '{}': no permission to write", name_), directory_);
    }
    auto lock = HeldLock::acquire(state.locks(), lock_byte::kAppend, LockMode::exclusive, deadline);
    if (!lock) return tl::unexpected(explain_lock_failure(std::move(lock).error()));
    writing.lock = std::move(*lock);
    PG_CHECK(state.check_not_deleted());
    PG_ASSIGN(const bool stale, state.is_stale());
    if (!stale) {
      if (must_lead) PG_CHECK(check_may_append(state));
      state.page().holder_pid.store(process_.pid, std::memory_order_relaxed);
      state.page().holder_pid_namespace.store(process_.pid_namespace, std::memory_order_relaxed);
      state.page().holder_since_ms.store(env_.clock.wall_ms(), std::memory_order_relaxed);
      writing.position = state.position();
      PG_ASSIGN(const bool trusted, settle_end(state, writing.position));
      if (trusted) return writing;
    }
    writing.lock = HeldLock();
    writing.state.reset();
    PG_CHECK(this->state(deadline));
  }
}

Result<> PartitionLog::check_may_append(const PartitionState& state) const {
  const StatePage& page = state.page();
  PG_CHECK(check_not_failed(state));
  if (page.role.load(std::memory_order_relaxed) != static_cast<uint32_t>(Role::leader)) {
    return fail(Errc::not_leader, fmt::format("this replica of '{}' is not the leader", name_), directory_);
  }
  if (page.leader_epoch.load(std::memory_order_relaxed) < page.fenced.load(std::memory_order_seq_cst)) {
    return fail(Errc::fenced, fmt::format("a newer leader of '{}' exists", name_), directory_);
  }
  if (!spec_.is_broker_alive) return {};
  PG_ASSIGN(const bool alive, spec_.is_broker_alive());
  if (alive) return {};
  return fail(Errc::not_leader, fmt::format("the broker that leads '{}' does not run", name_), directory_);
}

bool PartitionLog::must_roll(const LogPosition& position, const BatchHeader& header, int64_t max_timestamp_ms,
                             const LogConfig& config) const {
  if (position.segment_bytes == 0) return false;
  const int64_t bytes = position.segment_bytes + static_cast<int64_t>(header.size_bytes());
  const int64_t last_relative_offset = position.log_end - position.active_segment + header.last_offset_delta;
  // No position in an index passes 2 GiB, since segment.bytes cannot say more.
  static_assert(std::numeric_limits<decltype(config.segment_bytes)>::max() <= kSegmentPositionMax);
  return bytes > config.segment_bytes || last_relative_offset > INT32_MAX ||
         (position.first_timestamp_ms >= 0 && max_timestamp_ms > position.first_timestamp_ms &&
          max_timestamp_ms - position.first_timestamp_ms > config.segment_ms);
}

Result<> PartitionLog::roll(Writing& writing) {
  StatePage& page = writing.state->page();
  LogPosition& position = writing.position;
  const Offset base = position.log_end;
  PG_ASSIGN(const auto bases, list_segments(env_.files, directory_));
  if (!bases.empty() && bases.back() > position.active_segment) {
    distrust(*writing.state, fmt::format("a segment begins behind its last one, at offset {}", bases.back().value));
    return fail(Errc::busy, fmt::format("the state of '{}' is older than its files, and is rebuilt: try again", name_),
                directory_);
  }
  IndexWriter(*active_.offset_index, *active_.time_index, config().index_interval_bytes).close(position);
  // Failing to make them anew is no error: indexes are hints.
  if (!active_.sync_indexes()) (void)rebuild_indexes(env_, directory_, position, config().index_interval_bytes, true);

  page.rolling.store(base.value + 1, std::memory_order_release);
  page.file_of.store(0, std::memory_order_release);  // the segment may get a name that another file had
  PG_CHECK(remove_segment(env_.files, directory_, base));
  save_producers(env_, directory_, position, base);
  auto made = create_segment(env_.files, directory_, base);
  if (!made) {
    // If this fails too, the mark tells the next writer.
    if (remove_segment(env_.files, directory_, base)) page.rolling.store(0, std::memory_order_release);
    return made;
  }
  LogPosition next;
  next.active_segment = next.log_end = base;
  next.log_start = position.log_start;
  publish(page, next);
  page.rolling.store(0, std::memory_order_release);
  position = next;
  PG_ASSIGN(active_, open_active_segment(env_, directory_, base));
  return is_published_file(page).map([](bool) {});
}

// What is flushed by now needs no recovery any more. Only a hint that saves time then: it is tried, and failing is no
// error.
void PartitionLog::raise_recovery_point(const PartitionState& state, Offset flushed) {
  if (flushed == Offset(0)) return;
  (void)LogDirectory(env_, spec_.log_directory)
      .raise_recovery_points({{spec_.partition, flushed}}, env_.clock.now(),
                             [&](const TopicPartition&) { return !state.is_flushed_to(flushed); });
}

// What the topic's configs no longer keep is deleted when a segment is full. The append is done: nothing here makes it
// fail, and what does not work now works at the next roll, or by 'pg-topic compact'.
void PartitionLog::retain(PartitionState& state) {
  constexpr Duration kPatience = std::chrono::seconds(1);
  (void)refresh_config(true);
  const LogConfig config = this->config();
  if (!config.may_delete()) return;
  const auto now_ms = believed_wall_ms(env_, state.page());
  if (!now_ms && config.retention_ms >= 0) env_.notice(clock_notice(name_));
  const auto retained = apply_retention(*this, now_ms, ActiveSegmentToo::no, env_.clock.after(kPatience));
  const bool ignored = retained || retained.error().code == Errc::timed_out || retained.error().code == Errc::not_found;
  if (!ignored) env_.notice(fmt::format("old segments of '{}' are not deleted: {}", name_, retained.error().message()));
}

// The page names the process that took the lock last, perhaps long ago. The message names a process only if /proc shows
// that it holds the lock.
Error PartitionLog::explain_lock_failure(Error error) const {
  const auto state = current_state();
  if (error.code != Errc::timed_out || !state) return error;
  const auto lock = state->locks().info();
  const auto holder = lock ? env_.lock_holder(*lock, lock_byte::kAppend) : std::nullopt;
  const std::string who = holder ? fmt::format("process {} (stopped? see 'ps')", *holder)
                                 : "a process that cannot be seen from here: another user's, or in another container";
  error.what = fmt::format("timed out waiting for the append lock of '{}', held by {}", name_, who);
  return error;
}

}  // namespace pg
