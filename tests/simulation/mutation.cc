// What core/cluster/replica_keeper.cc, topic_controller.cc and the producers call here in the place of the real
// functions, which have other names in the simulator: see tests/CMakeLists.txt.
#include "tests/simulation/mutation.h"

#include <algorithm>

#include "core/cluster/epoch_cut.h"
#include "core/cluster/partition_plan.h"
#include "core/log/replica_words.h"

namespace pg {

Offset real_common_end(const EpochLog& mine, const EpochLog& leaders, Offset first);
std::optional<PartitionAction> real_plan_partition(const PartitionView& view, const ClusterHealth& health,
                                                   const ClusterConfig& config, PartitionMemory& memory, Deadline now);

Reached real_has_reached(StatePage& page, LeaderEpoch epoch, Offset end, bool flushed, bool may_write);

namespace {

// Where the leader's records of my last epoch, or of the last one before it, end. What I have of earlier epochs is not
// looked at.
Offset end_by_last_epoch(const EpochLog& mine, const EpochLog& leaders, Offset first) {
  if (mine.epochs.empty()) return std::min(first, mine.log_end);
  for (size_t i = leaders.epochs.size(); i > 0; --i) {
    if (leaders.epochs[i - 1].epoch > mine.epochs.back().epoch) continue;
    const Offset end = i < leaders.epochs.size() ? leaders.epochs[i].start_offset : leaders.log_end;
    return std::min(mine.log_end, end);
  }
  return std::min(first, mine.log_end);
}

}  // namespace

Offset common_end(const EpochLog& mine, const EpochLog& leaders, Offset first) {
  if (sim::broken_rule == sim::Mutation::cut_to_high_watermark) return std::min(mine.log_end, leaders.log_end);
  if (sim::broken_rule == sim::Mutation::cut_by_last_epoch) return end_by_last_epoch(mine, leaders, first);
  return real_common_end(mine, leaders, first);
}

std::optional<PartitionAction> plan_partition(const PartitionView& view, const ClusterHealth& health,
                                              const ClusterConfig& config, PartitionMemory& memory, Deadline now) {
  auto action = real_plan_partition(view, health, config, memory, now);
  if (sim::broken_rule != sim::Mutation::join_at_once || !action || action->kind != PartitionAction::Kind::join)
    return action;
  auto& joining = memory.replicas[action->replica];
  joining.joining = static_cast<uint16_t>(action->seen.version + 1);
  joining.join_end = Offset(0);
  return action;
}

Reached has_reached(StatePage& page, LeaderEpoch epoch, Offset end, bool flushed, bool may_write) {
  if (sim::broken_rule != sim::Mutation::no_second_look) return real_has_reached(page, epoch, end, flushed, may_write);
  if (!flushed) return committed_end(page, may_write) >= end ? Reached::yes : Reached::no;
  const auto ends = in_sync_ends(page);
  return ends && ends->flushed >= end ? Reached::yes : Reached::no;
}

namespace sim {

Mutation broken_rule = Mutation::none;

}  // namespace sim

}  // namespace pg
