// SimReplica: what changes the log.
#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/held_lock.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/world.h"

namespace pg::sim {

Result<> SimReplica::follow(LeaderEpoch epoch) {
  PG_CHECK(open());
  PG_ASSIGN(const Writing writing, begin_write(false));
  StatePage& page = mapped();
  if (page.leader_epoch.load() > epoch.value) return fail(Errc::fenced, "a newer leader exists");
  end_leading(page);
  page.role.store(static_cast<uint32_t>(Role::follower));
  page.leader_epoch.store(epoch.value);
  raise(page.fenced, epoch.value);
  epochs_ = files_->epochs();
  step();
  files_->sync_epochs();
  world_.note("{}: partition {} follows in epoch {}", process_.name(), place_.partition.value, epoch.value);
  return {};
}

Result<> SimReplica::truncate_to(Offset end, bool committed_too) {
  PG_CHECK(open());
  PG_ASSIGN(Writing writing, begin_write(false));
  if (end >= writing.position.log_end) return {};
  auto& high_watermark = mapped().high_watermark;
  if (end < Offset(high_watermark.load())) {
    if (!committed_too)
      return fail(Errc::conflict, fmt::format("cannot be cut at {}: records are committed", end.value));
    high_watermark.store(end.value);
  }
  PG_ASSIGN(const HeldLock flushing, lock(&ReplicaFiles::flush_lock));
  LogPosition kept = writing.position;
  kept.log_end = end;
  kept.log_start = std::min(kept.log_start, end);
  return replace_end(writing, kept, false);
}

Result<> SimReplica::restart_at(Offset start) {
  PG_CHECK(open());
  PG_ASSIGN(Writing writing, begin_write(false));
  PG_ASSIGN(const HeldLock flushing, lock(&ReplicaFiles::flush_lock));
  StatePage& page = mapped();
  page.high_watermark.store(std::min(page.high_watermark.load(), start.value));
  step();
  place_.recovery_point = std::min(place_.recovery_point, start);
  step();
  place_.log_start = start;
  LogPosition empty;
  empty.log_end = empty.log_start = start;
  PG_CHECK(replace_end(writing, empty, true));
  page.high_watermark.store(start.value);
  page.damaged.store(0);
  return {};
}

Result<> SimReplica::replace_end(Writing& writing, LogPosition kept, bool restart) {
  StatePage& page = mapped();
  page.flushed.store(std::min(page.flushed.load(), kept.log_end.value));
  step();
  if (place_.disk->full && place_.recovery_point > kept.log_end) return fail(Errc::no_space, "the disk is full");
  place_.recovery_point = std::min(place_.recovery_point, kept.log_end);
  page.truncations.fetch_add(1);
  publish(page, kept);
  world_.note("{}: partition {} is cut at {}, ended at {}", process_.name(), place_.partition.value, kept.log_end.value,
              writing.position.log_end.value);
  step();
  if (restart)
    files_->restart(kept.log_end);
  else
    files_->cut(kept.log_end);
  step();
  files_->sync();
  EpochHistory epochs = files_->epochs();
  const bool empty = kept.log_end == kept.log_start;
  std::erase_if(epochs, [&](const EpochStart& entry) { return empty || entry.start_offset >= kept.log_end; });
  return store_epochs(std::move(epochs));
}

Result<> SimReplica::append(const ScannedBatch& batch, LeaderEpoch epoch) {
  const BatchHeader header = batch.header;
  Entry entry{header.leader_epoch};
  std::copy(batch.bytes.begin(), batch.bytes.end(), reinterpret_cast<std::byte*>(&entry.value));
  PG_CHECK(open());
  PG_ASSIGN(Writing writing, begin_write(false));
  StatePage& page = mapped();
  if (page.failed.load() != 0) return fail(Errc::io, "a flush failed");
  if (page.role.load() != static_cast<uint32_t>(Role::follower) || page.leader_epoch.load() != epoch.value) {
    return fail(Errc::fenced, "no longer follows in this epoch");
  }
  if (header.base_offset != writing.position.log_end) return fail(Errc::conflict, "a batch does not fit");
  if (epochs_.empty()) epochs_ = files_->epochs();
  EpochHistory epochs = with_batch(epochs_, header.leader_epoch, header.base_offset);
  if (epochs != epochs_) PG_CHECK(store_epochs(std::move(epochs)));
  return write_entry(writing, entry);
}

Result<> SimReplica::write_entry(Writing& writing, const Entry& entry) {
  if (place_.disk->full) return fail(Errc::no_space, "the disk is full");
  step();
  files_->append(entry);
  step();
  writing.position.log_end = writing.position.log_end + 1;
  publish(mapped(), writing.position);
  return {};
}

Result<> SimReplica::store_epochs(EpochHistory epochs) {
  if (place_.disk->full) return fail(Errc::no_space, "the disk is full");
  step();
  files_->write_epochs(epochs);
  step();
  files_->sync_epochs();
  epochs_ = std::move(epochs);
  return {};
}

Result<> SimReplica::lead(const Leadership& leadership) {
  PG_CHECK(open());
  PG_ASSIGN(const Writing writing, begin_write(false));
  StatePage& page = mapped();
  const LeaderEpoch epoch = leadership.epoch;
  if (page.failed.load() != 0) return fail(Errc::io, "a flush failed");
  if (page.fenced.load() > epoch.value || page.leader_epoch.load() >= epoch.value)
    return fail(Errc::fenced, "a newer leader exists");
  EpochHistory epochs = files_->epochs();
  open_epoch(epochs, epoch, writing.position.log_end);
  PG_CHECK(store_epochs(std::move(epochs)));
  end_leading(page);
  page.role.store(static_cast<uint32_t>(Role::follower));
  page.min_in_sync.store(static_cast<uint32_t>(leadership.min_in_sync));
  open_slots(page, leadership.replicas, leadership.leader, leadership.in_sync, epoch);
  page.leader_epoch.store(epoch.value);
  page.unclean.store(0);
  page.role.store(static_cast<uint32_t>(Role::leader));
  world_.note("{}: partition {} is led in epoch {} from {}", process_.name(), place_.partition.value, epoch.value,
              writing.position.log_end.value);
  world_.ledger(place_.partition).opened(place_, *files_, epoch);
  raise(page.fenced, epoch.value);
  return {};
}

// PartitionLog::flush: one sync serves all who wait for one.
Result<> SimReplica::flush() {
  PG_CHECK(open());
  StatePage& page = mapped();
  const Offset wanted = read_position(page).log_end;
  if (page.failed.load() != 0) return fail(Errc::io, "a flush failed");
  if (Offset(page.flushed.load()) >= wanted) return {};
  PG_ASSIGN(const HeldLock held, lock(&ReplicaFiles::flush_lock));
  if (page.failed.load() != 0) return fail(Errc::io, "a flush failed");
  const Offset end = read_position(page).log_end, from(page.flushed.load());
  const uint64_t truncations = page.truncations.load();
  step();
  if (place_.disk->failed) {
    page.failed.store(1);
    return fail(Errc::io, "a flush failed");
  }
  files_->sync();
  if (page.truncations.load() == truncations) page.flushed.store(std::max(from, end).value);
  return {};
}

Result<> SimReplica::raise_log_start(Offset offset) {
  PG_CHECK(open());
  const LogPosition position = read_position(mapped());
  if (offset <= position.log_start || offset > position.log_end) return {};
  return set_log_start(offset, false);
}

Result<> SimReplica::trim(Offset offset) {
  PG_CHECK(reopen());
  if (offset <= read_position(mapped()).log_start) return {};
  if (offset > committed_end(mapped(), true)) return fail(Errc::out_of_range, "above the high watermark");
  world_.ledger(place_.partition).trimmed(offset);
  return set_log_start(offset, true);
}

Result<> SimReplica::retain(int64_t records) {
  PG_CHECK(reopen());
  if (mapped().role.load() != static_cast<uint32_t>(Role::leader)) return {};
  const Offset committed = committed_end(mapped(), true);
  return trim(std::min(read_position(mapped()).log_end + -records, committed));
}

Result<> SimReplica::set_log_start(Offset offset, bool must_lead) {
  step();
  place_.log_start = std::max(place_.log_start, offset);
  PG_ASSIGN(Writing writing, begin_write(must_lead));
  if (offset <= writing.position.log_start) return {};
  writing.position.log_start = offset;
  publish(mapped(), writing.position);
  return {};
}

Result<> SimReplica::await_appends() {
  PG_CHECK(reopen());
  return begin_write(false).map([](const Writing&) {});
}

}  // namespace pg::sim
