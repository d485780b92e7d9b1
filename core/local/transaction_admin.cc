#include "core/local/transaction_admin.h"

#include <algorithm>

#include "core/format/control_record.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// False: it has ended by itself. No record may come between the look and the marker, since the marker could otherwise
// abort the producer's next transaction.
Result<bool> abort_if_open(PartitionLog& log, const OpenTransaction& wanted, Deadline deadline) {
  for (;;) {
    PG_ASSIGN(auto state, log.state(deadline));
    const LogEnd seen{state->position().log_end, state->leader_epoch()};
    state.reset();  // the append may have to rebuild it, which it can when nobody has it
    PG_ASSIGN(const auto open, open_transactions(log, seen.log_end));
    const auto found = std::ranges::find_if(open, [&](const OpenTransaction& each) {
      return each.producer_id == wanted.producer_id && each.first_offset <= wanted.first_offset;
    });
    if (found == open.end()) return false;
    const ControlRecord marker{.type = ControlRecord::kAbort,
                               .coordinator_epoch = std::max(found->coordinator_epoch, 0)};
    auto batch = control_batch(found->producer_id, found->producer_epoch, marker, log.env().clock.wall_ms());
    PG_ASSIGN(const auto appended, log.append_if(seen, batch, deadline));
    if (!appended && log.env().clock.now() >= deadline)
      return fail(Errc::timed_out, "other processes append all the time, and were always first");
    if (!appended) continue;
    PG_CHECK(make_durable(log, *appended, deadline));
    return true;
  }
}

}  // namespace

Result<std::vector<OpenTransaction>> list_open_transactions(const Home& home, const TopicMetadata& topic,
                                                            PartitionId partition, Deadline deadline) {
  TopicMetadata current = topic;
  PG_ASSIGN(const auto log, open_leader(home, current, partition, deadline));
  return open_transactions(*log, log->current_state()->position().log_end);
}

Result<int64_t> abort_transactions(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                   const std::vector<OpenTransaction>& open, Deadline deadline) {
  TopicMetadata current = topic;
  PG_ASSIGN(const auto log, open_leader(home, current, partition, deadline));
  int64_t ended = 0;
  for (const auto& transaction : open) {
    PG_ASSIGN(const bool aborted, abort_if_open(*log, transaction, deadline));
    ended += aborted;
  }
  return ended;
}

}  // namespace pg
