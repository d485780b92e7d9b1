#include "core/cluster/replica_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/cluster/broker_set.h"
#include "core/log/replica_words.h"

namespace pg {
namespace {

// How much is fetched in one step, so that one partition does not keep the others waiting.
constexpr int64_t kFetchBytes = 4 << 20;

}  // namespace

Result<bool> ReplicaKeeper::step(const PartitionMetadata& metadata, int32_t min_in_sync, const Others& others) {
  // Whoever elected may not have reached this page.
  PG_ASSIGN(StatePage* const mine, mine_.page());
  if (mine->fenced.load() < metadata.leader_epoch.value) mine_.fence(metadata.leader_epoch);
  if (metadata.leader == self_) return lead(metadata, min_in_sync, others.previous);
  return others.leader != nullptr ? follow(metadata, *others.leader) : Result<bool>(false);
}

Result<bool> ReplicaKeeper::lead(const PartitionMetadata& metadata, int32_t min_in_sync, ReplicaLog* previous) {
  aligned_.reset();
  PG_ASSIGN(StatePage* const mine, mine_.page());
  const LeaderEpoch epoch = metadata.leader_epoch;
  if (leads_in(*mine, epoch)) {
    mine->min_in_sync.store(static_cast<uint32_t>(min_in_sync));
    return false;
  }
  // Whoever opened this epoch once and leads no more, or was fenced, waits for the next one.
  if (mine->fenced.load() > epoch.value || mine->leader_epoch.load() >= epoch.value) return false;
  // It was elected before it lost records: the controller has to know, and to elect again.
  if (mine->damaged.load() != 0 || (mine->unclean.load() != 0 && metadata.lossy_epoch != epoch)) return false;
  if (previous != nullptr) PG_CHECK(copy_rest(*previous, epoch));
  PG_CHECK(mine_.lead({epoch, self_, metadata.replicas, metadata.in_sync, min_in_sync}));
  return true;
}

// What the leader before had and nobody else: its producers were told that the leader has it. Nothing is added to that
// log any more, since it was fenced before this replica was elected. Where it cannot be read, that is lost with its
// disk.
Result<> ReplicaKeeper::copy_rest(ReplicaLog& previous, LeaderEpoch epoch) {
  const auto theirs = previous.page();
  if (!theirs || (*theirs)->fenced.load() < epoch.value) return {};
  const Offset committed = committed_end(**theirs, true);
  const Offset end = read_position(**theirs).log_end;
  const auto their_epochs = previous.epochs();
  if (!their_epochs) return {};
  // It may have led itself until now. No broker may open the epoch before the one to open any more.
  const LeaderEpoch before(epoch.value - 1);
  if (!mine_.follow(before)) return {};
  PG_ASSIGN(StatePage * mine, mine_.page());
  PG_ASSIGN(const EpochHistory my_epochs, mine_.epochs());
  Offset next = read_position(*mine).log_end;
  const Offset first = read_position(**theirs).log_start;
  const Offset common = next > Offset(0) ? common_end({my_epochs, next}, {*their_epochs, end}, first) : next;
  if (common == end) return {};
  if (common < next) {
    // This log has a tail that no leader has taken over: all that is committed is in the log of the leader before, if
    // that one has lost nothing, and has opened an epoch since.
    const bool whole =
        (*theirs)->unclean.load() == 0 && (*theirs)->damaged.load() == 0 && (*theirs)->failed.load() == 0;
    if (!whole || their_epochs->empty() || their_epochs->back().epoch <= my_epochs.back().epoch) return {};
    if (!mine_.truncate_to(common, false)) return {};
    next = common;
  }
  while (next < end) {
    const auto batch = previous.read(next, end);
    if (!batch || !*batch) break;
    if ((*batch)->header.base_offset > next) raise(mine->gaps_below, (*theirs)->gaps_below.load());
    PG_CHECK(mine_.append(**batch, before));
    PG_ASSIGN(mine, mine_.page());
    next = read_position(*mine).log_end;
  }
  // What was acknowledged there is known here from the beginning.
  raise(mine->high_watermark, std::min(committed, next).value);
  return {};
}

Result<bool> ReplicaKeeper::follow(const PartitionMetadata& metadata, ReplicaLog& leader) {
  PG_ASSIGN(StatePage* const theirs, leader.page());
  PG_ASSIGN(StatePage* const mine, mine_.page());
  if (!leads_in(*theirs, metadata.leader_epoch)) return false;
  const auto slot = slot_of(*theirs, self_);
  if (!slot) return false;
  const bool follows = mine->leader_epoch.load() == metadata.leader_epoch.value &&
                       mine->role.load() == static_cast<uint32_t>(Role::follower) && mine->damaged.load() == 0;
  if (aligned_ != metadata.leader_epoch || !follows) return align(metadata, leader, *slot);
  return fetch(metadata, leader, *slot);
}

Result<bool> ReplicaKeeper::align(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot) {
  const LeaderEpoch epoch = metadata.leader_epoch;
  aligned_.reset();
  PG_ASSIGN(StatePage * mine, mine_.page());
  const bool doubtful = mine->unclean.load() != 0 || mine->damaged.load() != 0;
  // As long as it counts as in sync, it may be asked to lead: first the controller takes it out.
  if (doubtful && is_in(metadata.in_sync, self_)) return false;
  const LeaderEpoch followed(mine->leader_epoch.load());
  PG_CHECK(mine_.follow(epoch));

  PG_ASSIGN(const EpochHistory their_epochs, leader.epochs());
  PG_ASSIGN(StatePage * theirs, leader.page());
  const LogPosition leaders = read_position(*theirs);
  if (!leads_in(*theirs, epoch)) return false;  // what was read may be another leader's
  PG_CHECK(keep_common({their_epochs, leaders.log_end}, leaders.log_start, followed < metadata.lossy_epoch));

  PG_ASSIGN(mine, mine_.page());
  whole_at_ = leaders.log_end;
  PG_ASSIGN(theirs, leader.page());
  begin_slot(*theirs, slot, epoch, read_position(*mine).log_end, Offset(mine->flushed.load()));
  aligned_ = epoch;
  return true;
}

// Cuts the log where it parts from the leader's. The log begins again where the leader's begins, if nothing tells that
// it has records of the leader's: without an epoch in common, also its history of what was below is not the leader's.
Result<> ReplicaKeeper::keep_common(const EpochLog& leaders, Offset leaders_start, bool committed_too) {
  PG_ASSIGN(StatePage * mine, mine_.page());
  PG_ASSIGN(const EpochHistory epochs, mine_.epochs());
  const LogPosition now = read_position(*mine);
  const Offset first = std::max(now.log_start, leaders_start);
  const Offset end = common_end({epochs, now.log_end}, leaders, first);
  const bool meets = mine->damaged.load() == 0 && end >= first && end <= leaders.log_end;
  if (meets && end < now.log_end) PG_CHECK(mine_.truncate_to(end, committed_too));
  const bool is_fresh = epochs.empty() && now.log_start == leaders_start;
  if (meets && (is_fresh || have_common_epoch(epochs, leaders.epochs))) return {};
  PG_ASSIGN(mine, mine_.page());
  // A controller may have seen what it had, and may be about to call it in sync: it must not be elected for that.
  if (mine->damaged.load() != 0 || end != leaders_start) mine->unclean.store(1);
  return mine_.restart_at(leaders_start);
}

Result<bool> ReplicaKeeper::fetch(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot) {
  const LeaderEpoch epoch = metadata.leader_epoch;
  bool fetched = false;
  for (int64_t bytes = 0; bytes < kFetchBytes;) {
    PG_ASSIGN(StatePage * mine, mine_.page());
    PG_ASSIGN(StatePage * theirs, leader.page());
    const Offset next = read_position(*mine).log_end;
    const LogPosition leaders = read_position(*theirs);
    if (next < leaders.log_start) return align(metadata, leader, slot);
    if (leaders.log_start > read_position(*mine).log_start) PG_CHECK(mine_.raise_log_start(leaders.log_start));
    if (next >= leaders.log_end) break;
    const auto batch = leader.read(next, leaders.log_end);
    PG_ASSIGN(theirs, leader.page());
    if (!leads_in(*theirs, epoch)) {
      aligned_.reset();  // what was read may be cut off there by now
      return true;
    }
    if (!batch && batch.error().code == Errc::corrupt) theirs->damaged.store(1);
    PG_CHECK(batch);
    if (!*batch) break;
    // The leader's log has a gap here, so this one may have it, too.
    if ((*batch)->header.base_offset > next) raise(mine->gaps_below, theirs->gaps_below.load());
    PG_CHECK(append_from(**batch, next, epoch));
    bytes += static_cast<int64_t>((*batch)->header.size_bytes());
    PG_ASSIGN(mine, mine_.page());
    report_to_slot(*theirs, slot, read_position(*mine).log_end, Offset(mine->flushed.load()));
    leader.wake_committed();
    fetched = true;
  }
  PG_CHECK(take_high_watermark(leader, epoch));
  PG_ASSIGN(StatePage* const mine, mine_.page());
  if (mine->unclean.load() != 0 && read_position(*mine).log_end >= whole_at_) mine->unclean.store(0);
  PG_ASSIGN(const bool flushed, flush_as_wanted(metadata, leader, slot));
  return fetched || flushed;
}

// Whether there was something to flush.
Result<bool> ReplicaKeeper::flush_as_wanted(const PartitionMetadata& metadata, ReplicaLog& leader, size_t slot) {
  PG_ASSIGN(StatePage* const mine, mine_.page());
  PG_ASSIGN(StatePage* const theirs, leader.page());
  const Offset end = read_position(*mine).log_end;
  // A replica that joins must have on its disk all records that count as flushed by now.
  const bool joins = !is_in(metadata.in_sync, self_) && end >= read_position(*theirs).log_end;
  const int64_t wanted = joins ? end.value : std::min(theirs->flush_wanted.load(), end.value);
  const bool must_flush = mine->flushed.load() < wanted;
  if (must_flush) PG_CHECK(mine_.flush());
  // Another process may have flushed, too.
  if (theirs->slots[slot].flushed.load() != mine->flushed.load()) {
    report_to_slot(*theirs, slot, read_position(*mine).log_end, Offset(mine->flushed.load()));
    leader.wake_committed();
  }
  return must_flush;
}

// The leader's batch that has `next`. It may begin before: where the leader's log begins in the middle of it, an empty
// log begins with the whole of it; where compaction has put one empty batch in the place of several, this log gets an
// empty one for the rest.
Result<> ReplicaKeeper::append_from(const ScannedBatch& batch, Offset next, LeaderEpoch epoch) {
  const BatchHeader& header = batch.header;
  if (header.base_offset >= next) return mine_.append(batch, epoch);
  PG_ASSIGN(StatePage* const mine, mine_.page());
  if (read_position(*mine).log_start == next)
    PG_CHECK(mine_.restart_at(header.base_offset));
  else if (header.record_count == 0)
    return append_rest(header, next, epoch);
  return mine_.append(batch, epoch);
}

Result<> ReplicaKeeper::append_rest(const BatchHeader& header, Offset next, LeaderEpoch epoch) {
  PG_ASSIGN(const EpochHistory epochs, mine_.epochs());
  const LeaderEpoch last = epochs.empty() ? header.leader_epoch : std::max(header.leader_epoch, epochs.back().epoch);
  const auto rest = filler_batch(next, header.end_offset(), last);
  return mine_.append({read_batch_header(rest), 0, rest}, epoch);
}

// What it knows as committed is where it begins when it is elected.
Result<> ReplicaKeeper::take_high_watermark(ReplicaLog& leader, LeaderEpoch epoch) {
  PG_ASSIGN(StatePage* const theirs, leader.page());
  const Offset committed = committed_end(*theirs, true);
  if (!leads_in(*theirs, epoch)) return {};
  PG_ASSIGN(StatePage* const mine, mine_.page());
  raise(mine->high_watermark, std::min(committed, read_position(*mine).log_end).value);
  return {};
}

Result<> ReplicaKeeper::withdraw(const PartitionMetadata& metadata, ReplicaLog& leader) {
  aligned_.reset();
  PG_ASSIGN(StatePage* const theirs, leader.page());
  const auto slot = slot_of(*theirs, self_);
  if (slot && leads_in(*theirs, metadata.leader_epoch)) clear_slot(*theirs, *slot);
  return {};
}

}  // namespace pg
