#include "core/cluster/topic_controller.h"

#include <fmt/format.h>

#include "core/log/replica_words.h"

namespace pg {
namespace {

using Kind = PartitionAction::Kind;

// Nobody appends in an epoch below the new one any more, on the pages of those that may have led.
void fence_before(ControlledTopic& topic, const PartitionMetadata& before, const PlannedAction& planned) {
  const PartitionMetadata& changed = planned.action.changed;
  for (const BrokerId broker : {before.leader, changed.previous_leader}) {
    if (broker == kNoBroker) continue;
    ReplicaLog* const old = topic.replica(planned.partition, broker);
    if (old != nullptr) old->fence(changed.leader_epoch);
  }
}

// The leader may have opened its epoch after the plan looked, and before the fence. Then the next leader has to copy
// from it what it has acknowledged since, and not from the leader before it.
PartitionMetadata after_fence(ControlledTopic& topic, const PartitionMetadata& before, const PlannedAction& planned) {
  PartitionMetadata changed = planned.action.changed;
  const bool lossy = changed.lossy_epoch == changed.leader_epoch;
  if (planned.action.kind != Kind::elect || lossy || before.leader == kNoBroker || before.leader == changed.leader)
    return changed;
  ReplicaLog* const old = topic.replica(planned.partition, before.leader);
  if (old == nullptr) return changed;
  const auto page = old->page();
  if (page && LeaderEpoch((*page)->leader_epoch.load()) >= before.leader_epoch) changed.previous_leader = before.leader;
  return changed;
}

// Gives the leader's word another mask, if it is still as the plan saw it.
Result<bool> change_mask(ControlledTopic& topic, const PlannedAction& planned, unsigned mask) {
  ReplicaLog* const leader = topic.replica(planned.partition, planned.action.changed.leader);
  if (leader == nullptr) return false;
  PG_ASSIGN(StatePage* const page, leader->page());
  const bool changed = change_in_sync(*page, planned.action.seen, static_cast<uint16_t>(mask));
  leader->wake_committed();
  return changed;
}

unsigned bit_of(const PlannedAction& planned) { return 1u << planned.action.replica; }

// Stores in the leader's page whether the metadata names the replica. False: the word has changed since the plan
// looked.
Result<bool> confirm(ControlledTopic& topic, const PlannedAction& planned, bool named) {
  if (!planned.action.confirmed) return true;
  ReplicaLog* const leader = topic.replica(planned.partition, planned.action.changed.leader);
  if (leader == nullptr) return false;
  PG_ASSIGN(StatePage* const page, leader->page());
  const unsigned mask = planned.action.confirmed->mask & ~bit_of(planned);
  const bool said =
      change_confirmed(*page, *planned.action.confirmed, static_cast<uint16_t>(named ? mask | bit_of(planned) : mask));
  leader->wake_committed();
  return said;
}

// What comes before the metadata changes. False: this one cannot be done now.
Result<bool> prepare(ControlledTopic& topic, const PartitionMetadata& before, const PlannedAction& planned) {
  const unsigned mask = planned.action.seen.mask;
  if (planned.action.kind == Kind::elect) fence_before(topic, before, planned);
  if (planned.action.kind == Kind::shrink) return confirm(topic, planned, false);
  if (planned.action.kind == Kind::join)
    return change_mask(topic, planned, mask | bit_of(planned)).map([](bool) { return false; });
  return planned.action.kind == Kind::admit ? change_mask(topic, planned, mask) : Result<bool>(true);
}

// And what comes after it.
Result<> finish(ControlledTopic& topic, const PartitionMetadata& before, const PlannedAction& planned) {
  if (planned.action.kind == Kind::elect) fence_before(topic, before, planned);
  if (planned.action.kind == Kind::admit) return confirm(topic, planned, true).map([](bool) {});
  if (planned.action.kind != Kind::shrink) return {};
  return change_mask(topic, planned, planned.action.seen.mask & ~bit_of(planned)).map([](bool) {});
}

}  // namespace

PartitionView look_at(ControlledTopic& topic, const PartitionMetadata& metadata, PartitionId partition,
                      bool last_epochs) {
  PartitionView view{metadata, {}};
  for (const BrokerId broker : metadata.replicas) {
    view.replicas.emplace_back();
    ReplicaLog* const replica = topic.replica(partition, broker);
    if (replica == nullptr) continue;
    const auto page = replica->page();
    if (!page) continue;
    EpochHistory epochs;
    if (last_epochs || (*page)->unclean.load() != 0) epochs = replica->epochs().value_or(EpochHistory{});
    view.replicas.back() = view_of(**page, epochs, metadata.replicas.size());
  }
  return view;
}

Result<bool> carry_out(ControlledTopic& topic, const TopicMetadata& metadata,
                       const std::vector<PlannedAction>& actions) {
  TopicMetadata changed = metadata;
  std::vector<const PlannedAction*> prepared;
  for (const auto& planned : actions) {
    auto& partition = changed.partitions[static_cast<size_t>(planned.partition.value)];
    const auto goes_on = prepare(topic, partition, planned);
    if (!goes_on || !*goes_on) continue;  // its page cannot be reached: the next look sees why
    // Also where nothing differs: whoever meant to admit a replica that is now taken out must fail.
    partition = after_fence(topic, partition, planned);
    prepared.push_back(&planned);
  }
  if (prepared.empty()) return true;
  changed.version = metadata.version + 1;
  PG_ASSIGN(const bool first, topic.replace(changed));
  if (!first) return false;
  for (const auto* planned : prepared) {
    PG_CHECK(finish(topic, metadata.partitions[static_cast<size_t>(planned->partition.value)], *planned));
  }
  return true;
}

Result<bool> TopicController::reconcile(ControlledTopic& topic, const ClusterHealth& health,
                                        const ClusterConfig& config, Deadline now) {
  PG_ASSIGN(const TopicMetadata metadata, topic.metadata());
  // Another topic that had the name: epochs and versions begin anew, so what is remembered of it would fit.
  if (metadata.id != topic_id_) memory_.clear();
  topic_id_ = metadata.id;
  std::vector<PlannedAction> actions;
  for (size_t p = 0; p < metadata.partitions.size(); ++p) {
    const PartitionId partition(static_cast<int32_t>(p));
    if (!metadata.partitions[p].is_replicated()) continue;
    const PartitionView view = look_at(topic, metadata.partitions[p], partition);
    auto action = plan_partition(view, health, config, memory_[partition], now);
    if (action) actions.push_back({partition, std::move(*action)});
  }
  if (actions.empty()) return false;
  PG_ASSIGN(const bool done, carry_out(topic, metadata, actions));
  if (!done || !tell_) return true;
  static constexpr const char* kWhat[] = {"broker {} leads", "broker {} is out of sync in", "broker {} joins",
                                          "broker {} is in sync in"};
  for (const auto& planned : actions) {
    const BrokerId broker = planned.action.changed.replicas[planned.action.replica];
    tell_(fmt::format("{} '{}-{}' (epoch {}): {}",
                      fmt::format(fmt::runtime(kWhat[static_cast<int>(planned.action.kind)]), broker.value),
                      metadata.name, planned.partition.value, planned.action.changed.leader_epoch.value,
                      planned.action.reason));
  }
  return true;
}

}  // namespace pg
