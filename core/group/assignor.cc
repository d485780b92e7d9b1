#include "core/group/assignor.h"

#include <algorithm>
#include <set>

#include "core/group/sticky_assignment.h"

namespace pilgrimage {

std::string assignor_name(AssignorKind kind) {
  switch (kind) {
    case AssignorKind::range:
      return "range";
    case AssignorKind::round_robin:
      return "roundrobin";
    case AssignorKind::sticky:
      return "sticky";
  }
  return "";
}

std::optional<AssignorKind> parse_assignor(std::string_view name) {
  if (name == "round-robin") return AssignorKind::round_robin;
  for (const auto kind : {AssignorKind::range, AssignorKind::round_robin, AssignorKind::sticky}) {
    if (name == assignor_name(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace pilgrimage

namespace pg {
namespace {

using Assignments = std::map<std::string, Assignment>;
using PartitionCounts = std::map<std::string, int32_t>;

// The subscribers of each topic that exists, in the order of `subscribers`.
std::map<std::string, std::vector<size_t>> subscribers_by_topic(const std::vector<Subscriber>& subscribers,
                                                                const PartitionCounts& counts) {
  std::map<std::string, std::vector<size_t>> by_topic;
  for (size_t i = 0; i < subscribers.size(); ++i) {
    for (const auto& topic : std::set(subscribers[i].topics.begin(), subscribers[i].topics.end())) {
      if (counts.contains(topic)) by_topic[topic].push_back(i);
    }
  }
  return by_topic;
}

// Of n partitions and m members, the first n % m members get one more than the others.
void assign_range(const std::vector<Subscriber>& subscribers, const PartitionCounts& counts, Assignments& out) {
  for (const auto& [topic, members] : subscribers_by_topic(subscribers, counts)) {
    const int32_t count = counts.at(topic), most = static_cast<int32_t>(members.size());
    int32_t next = 0;
    for (int32_t i = 0; i < most; ++i) {
      const int32_t end = next + count / most + (i < count % most ? 1 : 0);
      for (; next < end; ++next) out[subscribers[members[static_cast<size_t>(i)]].id][topic].emplace_back(next);
    }
  }
}

// One turn for all topics. A member that does not read a topic loses its turn.
void assign_round_robin(const std::vector<Subscriber>& subscribers, const PartitionCounts& counts, Assignments& out) {
  size_t turn = 0;
  for (const auto& [topic, members] : subscribers_by_topic(subscribers, counts)) {
    for (int32_t p = 0; p < counts.at(topic); ++p) {
      while (!std::binary_search(members.begin(), members.end(), turn)) turn = (turn + 1) % subscribers.size();
      out[subscribers[turn].id][topic].emplace_back(p);
      turn = (turn + 1) % subscribers.size();
    }
  }
}

}  // namespace

Assignments assign(AssignorKind kind, std::vector<Subscriber> subscribers, const PartitionCounts& partition_counts) {
  std::sort(subscribers.begin(), subscribers.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  Assignments out;
  for (const auto& subscriber : subscribers) out[subscriber.id];
  switch (kind) {
    case AssignorKind::range:
      assign_range(subscribers, partition_counts, out);
      break;
    case AssignorKind::round_robin:
      assign_round_robin(subscribers, partition_counts, out);
      break;
    case AssignorKind::sticky: {
      auto assigned = StickyAssignment(subscribers, partition_counts).make();
      for (size_t i = 0; i < subscribers.size(); ++i) out[subscribers[i].id] = std::move(assigned[i]);
      break;
    }
  }
  return out;
}

}  // namespace pg
