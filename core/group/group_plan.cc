#include "core/group/group_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg {
namespace {

// Whether each partition of each topic that a member reads is assigned to such a member, and no other partition is.
bool is_complete(const GroupMetadata& group, const PartitionCounts& counts) {
  std::set<TopicPartition> assigned;
  for (const auto& member : group.members) {
    for (const auto& [topic, partitions] : member.assignment) {
      const auto count = counts.find(topic);
      if (count == counts.end() || std::find(member.topics.begin(), member.topics.end(), topic) == member.topics.end())
        return false;
      for (const PartitionId partition : partitions) {
        if (partition.value >= count->second || !assigned.insert({topic, partition}).second) return false;
      }
    }
  }
  size_t wanted = 0;
  for (const auto& topic : subscribed_topics(group)) {
    if (const auto count = counts.find(topic); count != counts.end()) wanted += static_cast<size_t>(count->second);
  }
  return assigned.size() == wanted;
}

void assign_partitions(GroupMetadata& group, AssignorKind kind, const PartitionCounts& counts) {
  std::vector<Subscriber> subscribers;
  for (const auto& member : group.members) subscribers.push_back({member.id, member.topics, member.assignment});
  auto assignments = assign(kind, std::move(subscribers), counts);
  for (auto& member : group.members) member.assignment = std::move(assignments[member.id]);
}

}  // namespace

std::set<std::string> subscribed_topics(const GroupMetadata& group) {
  std::set<std::string> topics;
  for (const auto& member : group.members) topics.insert(member.topics.begin(), member.topics.end());
  return topics;
}

Result<std::optional<GroupMetadata>> next_generation(const std::optional<GroupMetadata>& current,
                                                     const GroupChange& change, const PartitionCounts& counts,
                                                     int64_t now_ms) {
  GroupMetadata next = current.value_or(GroupMetadata{});
  const auto removed = std::erase_if(next.members, [&](const GroupMember& member) {
    return change.gone.contains(member.id) || (change.joining && member.process.slot == change.joining->process.slot);
  });
  AssignorKind kind = parse_assignor(next.protocol).value_or(AssignorKind::sticky);
  if (change.joining) {
    if (next.members.empty()) kind = change.assignor.value_or(AssignorKind::sticky);
    if (change.assignor.value_or(kind) != kind) {
      return fail(Errc::conflict, fmt::format("the group's members share partitions out by {}, not by {}",
                                              assignor_name(kind), assignor_name(*change.assignor)));
    }
    next.members.push_back(*change.joining);
  }
  if (removed == 0 && !change.joining && is_complete(next, counts)) return std::nullopt;
  next.protocol = next.members.empty() ? "" : assignor_name(kind);
  next.leader = next.members.empty() ? "" : next.members.front().id;
  ++next.generation;
  next.state_timestamp_ms = now_ms;
  assign_partitions(next, kind, counts);
  return next;
}

}  // namespace pg
