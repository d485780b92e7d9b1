#include "core/cluster/disk_replica.h"

#include <chrono>

#include "core/log/log_recovery.h"

namespace pg {
namespace {

// How long a lock that somebody else holds may keep a broker from its other partitions.
constexpr Duration kPatience = std::chrono::seconds(1);
// How often files are compared with what is open: often enough to notice a lost replica at once, as people see it.
constexpr Duration kLookInterval = std::chrono::milliseconds(10);

}  // namespace

DiskReplica::DiskReplica(const Home& home, const TopicMetadata& topic, PartitionId partition, BrokerId broker)
    : home_(home) {
  auto spec = home.replica_spec(topic, partition, broker, Access::read_write);
  if (spec)
    spec_ = std::move(*spec);
  else
    placed_ = tl::unexpected(spec.error());
}

Deadline DiskReplica::deadline() const { return home_.env().clock.after(kPatience); }

Result<PartitionLog*> DiskReplica::open() {
  PG_CHECK(placed_);
  const Deadline now = home_.env().clock.now();
  if (log_ && state_ && now - looked_ < kLookInterval) return log_.get();
  // A page that was replaced is let go before the new one is opened: while it is mapped, nobody can make one.
  if (log_ && (!state_ || state_->is_stale().value_or(true))) {
    reader_.reset();
    state_.reset();
  }
  if (!log_) {
    PG_ASSIGN(log_, PartitionLog::open(home_.env(), spec_, deadline()));
    state_ = log_->current_state();
  } else {
    auto state = log_->state(deadline());
    if (!state) {
      reader_.reset();
      state_.reset();
      log_.reset();
      return tl::unexpected(state.error());
    }
    if (*state != state_) reader_.reset();
    state_ = std::move(*state);
  }
  looked_ = now;
  if (state_->access() == Access::read_write) return log_.get();
  return fail(state_->no_space() ? Errc::no_space : Errc::io, "the replica cannot be written to", log_->directory());
}

Result<StatePage*> DiskReplica::page() {
  PG_CHECK(open());
  PG_CHECK(state_->check_not_deleted());
  return &state_->page();
}

Result<EpochHistory> DiskReplica::epochs() {
  PG_ASSIGN(const PartitionLog* const log, open());
  return read_epoch_history(home_.env(), log->directory());
}

Result<std::optional<ScannedBatch>> DiskReplica::read(Offset from, Offset end) {
  PG_ASSIGN(PartitionLog* const log, open());
  if (!reader_ || reader_->next_offset() != from) reader_.emplace(*log, from);
  auto batch = reader_->next(end);
  if (!batch) reader_.reset();
  return batch;
}

void DiskReplica::wake_committed() {
  if (state_ && state_->page().commit_sleepers.load() != 0) state_->wake_committed();
}

void DiskReplica::fence(LeaderEpoch epoch) {
  if (open()) state_->fence(epoch);
}

Result<> DiskReplica::follow(LeaderEpoch epoch) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->follow(epoch, deadline());
}

Result<> DiskReplica::truncate_to(Offset end, bool committed_too) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->truncate_to(end, committed_too, deadline());
}

Result<> DiskReplica::restart_at(Offset start) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->restart_at(start, deadline());
}

Result<> DiskReplica::append(const ScannedBatch& batch, LeaderEpoch epoch) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->append_replicated(batch.bytes, epoch, deadline());
}

Result<> DiskReplica::lead(const Leadership& leadership) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->lead(leadership, deadline());
}

Result<> DiskReplica::raise_log_start(Offset offset) {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->follow_log_start(offset, deadline());
}

Result<> DiskReplica::flush() {
  PG_ASSIGN(PartitionLog* const log, open());
  return log->flush(deadline()).map([](Offset) {});
}

bool DiskReplica::is_flushed_to(Offset offset) const { return state_ && state_->is_flushed_to(offset); }

std::optional<WakeWord> DiskReplica::prepare_to_follow() {
  if (!state_) return std::nullopt;
  return state_->prepare_to_follow();
}

}  // namespace pg
