#include "core/cluster/partition_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/cluster/broker_set.h"

namespace pg {
namespace {

// A preferred leader has been in sync for a while before it takes over, so that one that comes and goes does not.
constexpr Duration kBeforeRebalance = std::chrono::seconds(5);
constexpr const char* kDamaged = "its log is damaged";

using Kind = PartitionAction::Kind;

BrokerHealth health_of(const ClusterHealth& health, BrokerId broker) {
  const auto found = health.find(broker);
  return found == health.end() ? BrokerHealth::dead : found->second;
}

// One look at one partition.
class Planner {
 public:
  Planner(const PartitionView& view, const ClusterHealth& health, const ClusterConfig& config, PartitionMemory& memory,
          Deadline now)
      : view_(view), metadata_(view.metadata), health_(health), config_(config), memory_(memory), now_(now) {}

  std::optional<PartitionAction> run() {
    find_leader();
    const std::string fault = leader_fault();
    if (!fault.empty()) {
      auto elected = replace_leader(fault);
      // One without room goes on until there is one with room: replicas leave and join meanwhile. So does a damaged
      // one, until one has joined that had the damaged records already.
      const bool meanwhile = goes_on(fault) || fault == kDamaged;
      if (elected || !meanwhile || health(leader_) == BrokerHealth::stopping) return elected;
    }
    if (!leader().leads || leader().epoch != metadata_.leader_epoch) return std::nullopt;  // it is about to
    remember();
    auto action = change_in_sync();
    if (!action) action = rebalance();
    if (action) action->seen = leader().in_sync;
    if (action) action->confirmed = leader().confirmed;
    return action;
  }

  // The first replica, if it can lead and does not.
  std::optional<PartitionAction> prefer() {
    find_leader();
    const bool leads = leader_ == 0 || leader_ == metadata_.replicas.size() || !is_candidate(0);
    return leads ? std::nullopt : elect(0, "somebody asked for it", false);
  }

 private:
  void find_leader() {
    const auto at = std::find(metadata_.replicas.begin(), metadata_.replicas.end(), metadata_.leader);
    leader_ = static_cast<size_t>(at - metadata_.replicas.begin());
  }
  const ReplicaView& leader() const { return view_.replicas[leader_]; }
  BrokerHealth health(size_t replica) const { return health_of(health_, metadata_.replicas[replica]); }
  bool in_sync(size_t replica) const { return is_in(metadata_.in_sync, metadata_.replicas[replica]); }

  // Why the leader cannot go on; empty if it can.
  std::string leader_fault() const {
    if (leader_ == metadata_.replicas.size()) return "it has no replica";
    const BrokerHealth broker = health(leader_);
    if (broker == BrokerHealth::starting) return "";
    if (!is_working(broker)) return fmt::format("its broker is {}", name_of(broker));
    const ReplicaView& replica = leader();
    if (!replica.there) return "its log is gone";
    if (!replica.usable) return kDamaged;
    if (replica.fenced > metadata_.leader_epoch) return "it was fenced";
    const bool opened = replica.leads && replica.epoch == metadata_.leader_epoch;
    if (opened) return lacks_bits() ? "its page lacks a replica in sync" : wish_to_leave();
    // Unless that is why it was elected.
    const bool known = metadata_.lossy_epoch == metadata_.leader_epoch && replica.epoch < metadata_.leader_epoch;
    if (replica.unclean && !known) return "its machine stopped before its log was on stable storage";
    return replica.epoch >= metadata_.leader_epoch ? "its state was lost" : wish_to_leave();
  }

  // Not a fault, but a reason to let another one lead, if there is one.
  std::string wish_to_leave() const {
    if (health(leader_) == BrokerHealth::stopping) return "its broker is stopping";
    return health(leader_) == BrokerHealth::full || leader().full ? "its disk is full" : "";
  }

  bool goes_on(const std::string& fault) const {
    return leader_ < metadata_.replicas.size() && fault == wish_to_leave();
  }

  // Every replica that the metadata calls in sync must hold the high watermark back.
  bool lacks_bits() const {
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (in_sync(i) && !leader().in_sync.has(i)) return true;
    }
    return false;
  }

  bool is_sound(size_t replica) const {
    const ReplicaView& seen = view_.replicas[replica];
    return in_sync(replica) && seen.there && seen.usable && !seen.unclean;
  }
  bool is_candidate(size_t replica) const {
    return is_sound(replica) && may_lead(health(replica)) && !view_.replicas[replica].full;
  }

  std::optional<PartitionAction> replace_leader(const std::string& fault) {
    // A leader that can go on, if need be, is not its own successor; one that cannot may be, in a new epoch.
    const bool stays = goes_on(fault);
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (is_candidate(i) && !(stays && i == leader_)) return elect(i, fault, false);
    }
    if (stays) return std::nullopt;
    // Better one that is stopping, or has no room, than none.
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (i != leader_ && is_sound(i) && is_working(health(i)) && health(i) != BrokerHealth::starting)
        return elect(i, fault, false);
    }
    return elect_after_power_cut(fault);
  }

  std::optional<PartitionAction> elect_after_power_cut(const std::string& fault) {
    std::optional<size_t> best;
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (!in_sync(i)) continue;
      const ReplicaView& seen = view_.replicas[i];
      const bool back =
          is_working(health(i)) && health(i) != BrokerHealth::starting && seen.there && seen.usable && seen.unclean;
      if (!back) return std::nullopt;
      const auto more = [&](const ReplicaView& a, const ReplicaView& b) {
        return std::pair(a.last_epoch, a.log_end) > std::pair(b.last_epoch, b.log_end);
      };
      if (!best || more(seen, view_.replicas[*best])) best = i;
    }
    return best ? elect(*best, fault, true) : std::nullopt;
  }

  std::optional<PartitionAction> elect(size_t replica, const std::string& reason, bool lossy) const {
    PartitionAction action{Kind::elect, replica, metadata_, reason};
    PartitionMetadata& changed = action.changed;
    changed.leader = metadata_.replicas[replica];
    changed.leader_epoch = next_epoch();
    // One that has not opened its epoch has nothing of its own yet, unless it was its own successor.
    if (was_opened() || metadata_.previous_leader == kNoBroker) changed.previous_leader = metadata_.leader;
    if (changed.previous_leader == changed.leader) changed.previous_leader = kNoBroker;
    if (lossy) {
      changed.lossy_epoch = changed.leader_epoch;
      changed.previous_leader = kNoBroker;
    }
    changed.in_sync.clear();
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      const bool stays = in_sync(i) && is_working(health(i)) && view_.replicas[i].there && view_.replicas[i].usable &&
                         !view_.replicas[i].unclean;
      if (i == replica || stays) changed.in_sync.push_back(metadata_.replicas[i]);
    }
    return action;
  }

  // Whether the leader has opened its epoch. If its log is gone, its followers tell. Without a follower, the leader's
  // own records are gone with its log, but those of the leader before are not.
  bool was_opened() const {
    if (leader_ < view_.replicas.size() && leader().there) return leader().epoch >= metadata_.leader_epoch;
    return std::any_of(view_.replicas.begin(), view_.replicas.end(), [&](const ReplicaView& replica) {
      return replica.there && replica.epoch >= metadata_.leader_epoch;
    });
  }

  LeaderEpoch next_epoch() const {
    LeaderEpoch highest = metadata_.leader_epoch;
    for (const auto& replica : view_.replicas)
      highest = std::max({highest, replica.epoch, LeaderEpoch(replica.fenced.value - 1)});
    return LeaderEpoch(highest.value + 1);
  }

  void remember() {
    if (memory_.epoch != metadata_.leader_epoch || memory_.replicas.size() != metadata_.replicas.size()) {
      memory_ = PartitionMemory{metadata_.leader_epoch, {}, {}};
      PartitionMemory::Replica fresh;
      fresh.caught_up = now_;
      memory_.replicas.assign(metadata_.replicas.size(), fresh);
    }
    for (size_t i = 0; i < memory_.replicas.size(); ++i) {
      auto& replica = memory_.replicas[i];
      const auto& told = leader().slots[i];
      has_it_all_[i] = told && memory_.leader_end && told->log_end >= *memory_.leader_end;
      if (has_it_all_[i] || i == leader_) replica.caught_up = now_;
      if (!in_sync(i))
        replica.in_sync_since.reset();
      else if (!replica.in_sync_since)
        replica.in_sync_since = now_;
    }
    memory_.leader_end = leader().log_end;
  }

  bool must_leave(size_t replica) const {
    const ReplicaView& seen = view_.replicas[replica];
    if (health(replica) == BrokerHealth::starting) return false;
    const bool lags = now_ - memory_.replicas[replica].caught_up > config_.replica_lag_max;
    return !is_working(health(replica)) || health(replica) == BrokerHealth::stopping || !seen.there || !seen.usable ||
           seen.unclean || seen.full || lags;
  }

  std::optional<PartitionAction> change_in_sync() {
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (i == leader_) continue;
      const bool counted = leader().in_sync.has(i) || in_sync(i);
      if (counted && must_leave(i)) return shrink(i);
      // The controller that admitted it may have died before it confirmed it.
      if (counted && in_sync(i) && leader().confirmed && !leader().confirmed->has(i)) return admit(i);
      if (in_sync(i) || must_leave(i)) continue;
      if (leader().in_sync.has(i)) {
        if (has_on_disk(i, join_end(i))) return admit(i);
      } else if (has_it_all_[i]) {
        return PartitionAction{Kind::join, i, metadata_, "it has what the leader has"};
      }
    }
    return std::nullopt;
  }

  // No high watermark that was computed without this replica is higher. Whoever set its bit may have died: what the
  // leader has now is as good.
  Offset join_end(size_t replica) {
    auto& memory = memory_.replicas[replica];
    if (!memory.join_end || memory.joining != leader().in_sync.version) {
      memory.joining = leader().in_sync.version;
      memory.join_end = leader().log_end;
    }
    return *memory.join_end;
  }

  // A replica in sync must have on its own disk all records that count as flushed with acks=all.
  bool has_on_disk(size_t replica, Offset end) const {
    const auto& told = leader().slots[replica];
    return told && told->log_end >= end && told->flushed >= end;
  }

  PartitionAction shrink(size_t replica) const {
    PartitionAction action{Kind::shrink, replica, metadata_, "it lags"};
    const ReplicaView& seen = view_.replicas[replica];
    if (!is_working(health(replica)) || health(replica) == BrokerHealth::stopping)
      action.reason = fmt::format("its broker is {}", name_of(health(replica)));
    else if (!seen.there)
      action.reason = "its log is gone";
    else if (!seen.usable)
      action.reason = kDamaged;
    else if (seen.full)
      action.reason = "its disk is full";
    else if (seen.unclean)
      action.reason = "its machine stopped before its log was on stable storage";
    std::erase(action.changed.in_sync, metadata_.replicas[replica]);
    return action;
  }

  PartitionAction admit(size_t replica) const {
    PartitionAction action{Kind::admit, replica, metadata_, "it has what the leader has"};
    action.changed.in_sync.clear();
    for (size_t i = 0; i < metadata_.replicas.size(); ++i) {
      if (in_sync(i) || i == replica) action.changed.in_sync.push_back(metadata_.replicas[i]);
    }
    return action;
  }

  std::optional<PartitionAction> rebalance() const {
    if (!config_.rebalance_leaders || leader_ == 0 || !is_candidate(0)) return std::nullopt;
    const auto& since = memory_.replicas[0].in_sync_since;
    if (!since || now_ - *since < kBeforeRebalance) return std::nullopt;
    return elect(0, "it is the preferred leader", false);
  }

  const PartitionView& view_;
  const PartitionMetadata& metadata_;
  const ClusterHealth& health_;
  const ClusterConfig& config_;
  PartitionMemory& memory_;
  const Deadline now_;
  size_t leader_ = 0;
  std::map<size_t, bool> has_it_all_;  // that the leader had at the last look
};

}  // namespace

const char* name_of(BrokerHealth health) {
  switch (health) {
    case BrokerHealth::running:
      return "running";
    case BrokerHealth::starting:
      return "starting";
    case BrokerHealth::stopping:
      return "stopping";
    case BrokerHealth::full:
      return "full";
    case BrokerHealth::hung:
      return "hung";
    case BrokerHealth::failed:
      return "failed";
    case BrokerHealth::dead:
      return "dead";
  }
  return "";
}

ReplicaView view_of(const StatePage& page, const EpochHistory& epochs, size_t replicas) {
  ReplicaView view;
  view.there = true;
  // In the order opposite to the one in which a leader opens its epoch.
  const bool leads = page.role.load() == static_cast<uint32_t>(Role::leader);
  view.epoch = LeaderEpoch(page.leader_epoch.load());
  view.in_sync = InSync::unpack(page.in_sync.load());
  view.leads = leads && view.in_sync.epoch == view.epoch;
  const uint64_t confirmed = page.confirmed.load();
  if (confirmed != 0 && InSync::unpack(confirmed).epoch == view.epoch) view.confirmed = InSync::unpack(confirmed);
  for (size_t i = 0; i < replicas; ++i) {
    const bool told = page.slots[i].epoch.load() == view.epoch.value;
    view.slots.emplace_back();
    if (told) view.slots.back().emplace(Offset(page.slots[i].log_end.load()), Offset(page.slots[i].flushed.load()));
  }
  view.fenced = LeaderEpoch(page.fenced.load());
  // The slots first: a replica that has what the leader had then is judged by no later end.
  view.log_end = read_position(page).log_end;
  view.high_watermark = known_high_watermark(page);
  view.last_epoch = epoch_at(epochs, view.log_end + -1);
  view.usable = page.failed.load() == 0 && page.damaged.load() == 0;
  view.full = page.full.load() != 0;
  view.unclean = page.unclean.load() != 0;
  return view;
}

std::optional<PartitionAction> plan_partition(const PartitionView& view, const ClusterHealth& health,
                                              const ClusterConfig& config, PartitionMemory& memory, Deadline now) {
  return Planner(view, health, config, memory, now).run();
}

std::optional<PartitionAction> plan_preferred_election(const PartitionView& view, const ClusterHealth& health) {
  PartitionMemory memory;
  const ClusterConfig config{};
  return Planner(view, health, config, memory, {}).prefer();
}

// Of those that are there, the one with the most.
std::optional<PartitionAction> plan_unclean_election(const PartitionView& view, const ClusterHealth& health) {
  PartitionAction action{Kind::elect, 0, view.metadata, "somebody asked for it"};
  std::optional<size_t> best;
  LeaderEpoch highest = view.metadata.leader_epoch;
  for (size_t i = 0; i < view.replicas.size(); ++i) {
    const ReplicaView& seen = view.replicas[i];
    highest = std::max({highest, seen.epoch, LeaderEpoch(seen.fenced.value - 1)});
    if (!seen.there || !seen.usable || !is_working(health_of(health, view.metadata.replicas[i]))) continue;
    const auto rank = [&](size_t r) { return std::pair(view.replicas[r].last_epoch, view.replicas[r].log_end); };
    if (!best || rank(i) > rank(*best)) best = i;
  }
  if (!best) return std::nullopt;
  action.replica = *best;
  action.changed.leader = view.metadata.replicas[*best];
  action.changed.leader_epoch = action.changed.lossy_epoch = LeaderEpoch(highest.value + 1);
  action.changed.previous_leader = kNoBroker;
  action.changed.in_sync = {action.changed.leader};
  return action;
}

}  // namespace pg
