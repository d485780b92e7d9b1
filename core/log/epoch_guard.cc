#include "core/log/epoch_guard.h"

#include "core/log/log_recovery.h"

namespace pg {

// An epoch is in the history before any batch of it is in the log.
Result<Offset> shared_end(const PartitionLog& log, const EpochTrail& trail, Offset next) {
  const auto state = log.current_state();
  if (!state) return next;  // somebody is opening the log again, and the reader compares after that
  PG_ASSIGN(const EpochHistory history, read_epoch_history(log.env(), log.directory()));
  return trail.shared_end(history, state->position().log_end, next);
}

// A follower may not have been cut yet to what its leader has. So the reader compares it, by the epochs of its records.
void EpochGuard::begin(const PartitionLog& log) {
  compared_.reset();
  const int64_t openings = log.openings();
  const auto state = log.current_state();
  trail_ = EpochTrail(state ? state->leader_epoch() : LeaderEpoch(-1));
  if (!state) return;
  if (!state->is_replicated() || state->leads_in(trail_.epoch())) {
    compared_ = Compared{openings, trail_.epoch()};
    return;
  }
  const auto history = read_epoch_history(log.env(), log.directory());
  trail_ = EpochTrail(history && !history->empty() ? history->back().epoch : LeaderEpoch(-1));
}

Result<Offset> EpochGuard::compare(const PartitionLog& log, Offset next) {
  // Read before the comparison: a change after that makes another comparison due.
  const int64_t openings = log.openings();
  const auto state = log.current_state();
  if (!state) return next;
  const LeaderEpoch epoch = state->leader_epoch();
  PG_ASSIGN(const Offset shared, shared_end(log, trail_, next));
  compared_ = Compared{openings, epoch};
  if (shared < next) trail_.cut(shared, epoch);
  return shared;
}

}  // namespace pg
