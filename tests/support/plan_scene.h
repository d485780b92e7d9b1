// A partition of brokers 1, 2 and 3, as a controller sees it, and what it plans, in words.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "core/cluster/partition_plan.h"

namespace pg {

inline std::string ids_of(const std::vector<BrokerId>& brokers) {
  std::string text;
  for (const BrokerId broker : brokers) text += fmt::format("{}{}", text.empty() ? "" : ",", broker.value);
  return text;
}

// "elect 2 epoch 6 isr 2,3 after 1: its broker is dead"; "-" if nothing is to be done.
inline std::string text_of(const std::optional<PartitionAction>& action) {
  if (!action) return "-";
  static constexpr const char* kKinds[] = {"elect", "shrink", "join", "admit"};
  const PartitionMetadata& changed = action->changed;
  std::string text =
      fmt::format("{} {}", kKinds[static_cast<int>(action->kind)], changed.replicas[action->replica].value);
  if (action->kind == PartitionAction::Kind::elect) {
    text += fmt::format(" epoch {}", changed.leader_epoch.value);
    if (changed.leader != changed.replicas[action->replica]) text += " but " + ids_of({changed.leader});
  }
  text += " isr " + ids_of(changed.in_sync);
  if (changed.previous_leader != kNoBroker) text += fmt::format(" after {}", changed.previous_leader.value);
  if (changed.lossy_epoch.value >= 0) text += fmt::format(" lossy {}", changed.lossy_epoch.value);
  return text + ": " + action->reason;
}

// All is as it should be, with broker 1 as the leader in epoch 5, unless a test changes something.
struct PlanScene {
  static constexpr BrokerId kOne{1}, kTwo{2}, kThree{3};
  static constexpr LeaderEpoch kEpoch{5};

  PlanScene() {
    view.metadata = {{kOne, kTwo, kThree}, kOne, kEpoch, {kOne, kTwo, kThree}};
    for (int i = 0; i < 3; ++i) {
      ReplicaView replica;
      replica.there = true;
      replica.leads = i == 0;
      replica.epoch = kEpoch;
      replica.last_epoch = kEpoch;
      replica.log_end = Offset(10);
      replica.in_sync = {kEpoch, 0, 0b111};
      replica.slots.assign(3, Offset(10));
      view.replicas.push_back(replica);
    }
  }
  ReplicaView& first() { return view.replicas[0]; }
  ReplicaView& second() { return view.replicas[1]; }
  ReplicaView& third() { return view.replicas[2]; }
  // Out of the ISR, in the metadata and on the leader's page.
  void out_of_sync(BrokerId broker) {
    std::erase(view.metadata.in_sync, broker);
    first().in_sync.mask = static_cast<uint16_t>(first().in_sync.mask & ~(1u << (broker.value - 1)));
  }
  // As after a power cut: nobody leads, and everybody may lack something.
  void power_cut() {
    for (ReplicaView& replica : view.replicas) {
      replica.leads = false;
      replica.unclean = true;
      replica.in_sync = {};
      replica.slots.assign(3, std::nullopt);
    }
  }
  std::string plan() { return text_of(plan_partition(view, health, config, memory, now)); }

  PartitionView view;
  ClusterHealth health{{kOne, BrokerHealth::running}, {kTwo, BrokerHealth::running}, {kThree, BrokerHealth::running}};
  ClusterConfig config = *to_cluster_config({});
  PartitionMemory memory;
  Deadline now{std::chrono::hours(1)};
};

}  // namespace pg
