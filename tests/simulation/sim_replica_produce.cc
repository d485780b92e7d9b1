// SimReplica: what producers do with the leader's log.
#include "core/log/replica_words.h"
#include "tests/simulation/held_lock.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/world.h"

namespace pg::sim {
namespace {

bool still_leads(const StatePage& page, LeaderEpoch epoch) {
  return broken_rule == Mutation::no_second_look || leads_in(page, epoch);
}

}  // namespace

Result<std::optional<Appended>> SimReplica::produce(int64_t value, const std::optional<LogEnd>& seen) {
  PG_ASSIGN(Writing writing, begin_write(true));
  const LeaderEpoch epoch(mapped().leader_epoch.load());
  const Offset at = writing.position.log_end;
  if (seen && *seen != LogEnd{at, epoch}) return std::nullopt;
  PG_CHECK(write_entry(writing, {epoch, value}));
  world_.note("{}: wrote {} at {} of broker {} in epoch {}", process_.name(), value, at.value, place_.broker.value,
              epoch.value);
  return Appended{at, at + 1, epoch};
}

Result<> SimReplica::check_leads(LeaderEpoch epoch) const {
  return still_leads(mapped(), epoch) ? Result<>()
                                      : fail(Errc::fenced, "the leader changed: records may have been written");
}

Result<SimReplica::Found> SimReplica::look_for(const std::vector<WrittenBatch>& places) {
  PG_CHECK(reopen());
  const LeaderEpoch epoch(mapped().leader_epoch.load());
  if (!still_leads(mapped(), epoch)) return fail(Errc::fenced, "the leader changed");
  const Offset end = read_position(mapped()).log_end;
  const LogPosition position = read_position(mapped());
  PG_ASSIGN(const EpochHistory history, epochs());
  return Found{{end, epoch}, find_batch(places, history, position.log_start, position.log_end)};
}

Result<> SimReplica::wait_committed(const Appended& appended, bool flushed, Deadline deadline) {
  constexpr Duration kPoll = std::chrono::milliseconds(1);
  PG_CHECK(reopen());
  StatePage& page = mapped();
  if (flushed) raise(page.flush_wanted, appended.end_offset.value);
  for (;;) {
    const Reached reached = has_reached(page, appended.leader_epoch, appended.end_offset, flushed, true);
    if (reached == Reached::unknown) return fail(Errc::fenced, "the leader changed: records may have been written");
    if (reached == Reached::yes) return {};
    if (!is_current()) return fail(Errc::fenced, "the state was replaced: records may have been written");
    if (world_.now() >= deadline) return fail(Errc::timed_out, "records may have been written");
    world_.scheduler.sleep(kPoll);
  }
}

void SimReplica::raise_recovery_point(Offset flushed) {
  step();
  const Uninterrupted locked;
  if (!page_ || Offset(mapped().flushed.load()) < flushed || files_ != place_.files) return;
  place_.recovery_point = std::max(place_.recovery_point, flushed);
}

}  // namespace pg::sim
