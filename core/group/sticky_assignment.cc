#include "core/group/sticky_assignment.h"

#include <algorithm>
#include <numeric>

namespace pg {

StickyAssignment::StickyAssignment(const std::vector<Subscriber>& subscribers,
                                   const std::map<std::string, int32_t>& partition_counts)
    : subscribers_(subscribers), members_(subscribers.size()) {
  std::map<std::string, Topic> numbers;
  for (const auto& [name, count] : partition_counts) {
    if (count <= 0) continue;
    numbers[name] = topics_.size();
    const std::vector<Member> nobody(static_cast<size_t>(count), kNobody);
    topics_.push_back({name, {}, nobody, nobody});
  }
  for (Member m = 0; m < subscribers.size(); ++m) {
    for (const auto& name : std::set(subscribers[m].topics.begin(), subscribers[m].topics.end())) {
      const auto topic = numbers.find(name);
      if (topic == numbers.end()) continue;
      members_[m].topics.push_back(topic->second);
      topics_[topic->second].readers.push_back(m);
    }
  }
}

std::vector<Assignment> StickyAssignment::make() {
  keep_owned();
  assign_free();
  balance();
  give_back();
  std::vector<Assignment> made(members_.size());
  for (Member m = 0; m < members_.size(); ++m) {
    for (const auto& [topic, partitions] : members_[m].held) {
      auto& assigned = made[m][topics_[topic].name];
      for (const int32_t p : partitions) assigned.emplace_back(p);
    }
  }
  return made;
}

void StickyAssignment::keep_owned() {
  for (Topic t = 0; t < topics_.size(); ++t) {
    auto& owners = topics_[t].owners;
    std::vector<bool> claimed(owners.size());
    for (const Member m : topics_[t].readers) {
      const auto owned = subscribers_[m].owned.find(topics_[t].name);
      if (owned == subscribers_[m].owned.end()) continue;
      std::set<int32_t> partitions;
      for (const PartitionId partition : owned->second) partitions.insert(partition.value);
      for (const int32_t p : partitions) {
        if (p < 0 || static_cast<size_t>(p) >= owners.size()) continue;
        owners[static_cast<size_t>(p)] = claimed[static_cast<size_t>(p)] ? kNobody : m;
        claimed[static_cast<size_t>(p)] = true;
      }
    }
    for (size_t p = 0; p < owners.size(); ++p) {
      if (owners[p] != kNobody) move(t, static_cast<int32_t>(p), owners[p]);
    }
  }
}

// Topics with few readers first: they leave least choice.
void StickyAssignment::assign_free() {
  std::vector<Topic> order(topics_.size());
  std::iota(order.begin(), order.end(), Topic{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](Topic a, Topic b) { return topics_[a].readers.size() < topics_[b].readers.size(); });
  for (const Topic t : order) {
    if (topics_[t].readers.empty()) continue;
    std::set<std::pair<size_t, Member>> by_count;
    for (const Member m : topics_[t].readers) by_count.insert({members_[m].count, m});
    for (size_t p = 0; p < topics_[t].holders.size(); ++p) {
      if (topics_[t].holders[p] != kNobody) continue;
      const Member least = by_count.begin()->second;
      by_count.erase(by_count.begin());
      move(t, static_cast<int32_t>(p), least);
      by_count.insert({members_[least].count, least});
    }
  }
}

// Takes from the member that has the most. Once no chain begins at that member, none begins at a member that it reaches
// either: those have at most one less, and a member that is looked at later has no more and gives them nothing.
void StickyAssignment::balance() {
  std::set<std::pair<size_t, Member>> by_count;
  for (Member m = 0; m < members_.size(); ++m) by_count.insert({members_[m].count, m});
  while (!by_count.empty()) {
    const Member most = by_count.rbegin()->second;
    Member least = most;
    const std::vector<Step> steps = reach(most, least);
    if (members_[least].count + 2 > members_[most].count) {
      for (Member m = 0; m < members_.size(); ++m) {
        if (m != most && steps[m].from == kNobody) continue;
        members_[m].settled = true;
        by_count.erase({members_[m].count, m});
      }
      continue;
    }
    by_count.erase({members_[most].count, most});
    by_count.erase({members_[least].count, least});
    for (Member to = least; to != most; to = steps[to].from) {
      const Step& step = steps[to];
      move(step.topic, choose(step.topic, step.from, to), to);
    }
    by_count.insert({members_[most].count, most});
    by_count.insert({members_[least].count, least});
  }
}

// Breadth first, so that chains are short. `least` becomes the nearest of those that have least.
std::vector<StickyAssignment::Step> StickyAssignment::reach(Member start, Member& least) const {
  std::vector<Step> steps(members_.size());
  std::vector<bool> topic_done(topics_.size());
  std::vector<Member> queue{start};
  for (size_t next = 0; next < queue.size(); ++next) {
    const Member from = queue[next];
    if (members_[from].count < members_[least].count) least = from;
    for (const auto& [topic, partitions] : members_[from].held) {
      if (topic_done[topic]) continue;
      topic_done[topic] = true;
      for (const Member to : topics_[topic].readers) {
        if (to == start || steps[to].from != kNobody || members_[to].settled) continue;
        steps[to] = {from, topic};
        queue.push_back(to);
      }
    }
  }
  return steps;
}

// The partition that `from` passes on: best one that was the other's, then one that was not its own.
int32_t StickyAssignment::choose(Topic topic, Member from, Member to) const {
  const auto& owners = topics_[topic].owners;
  const auto& held = members_[from].held.at(topic);
  int32_t chosen = *held.rbegin();
  for (const int32_t p : held) {
    const Member owner = owners[static_cast<size_t>(p)];
    if (owner == to) return p;
    if (owner != from) chosen = p;
  }
  return chosen;
}

void StickyAssignment::give_back() {
  for (bool again = true; again;) {
    again = false;
    for (Topic t = 0; t < topics_.size(); ++t) {
      for (size_t p = 0; p < topics_[t].owners.size(); ++p) again |= return_one(t, static_cast<int32_t>(p));
    }
  }
}

// Gives a partition back to its owner, if that changes nobody's count but for two that are one apart. Each time one
// more is where it was, so that this ends.
bool StickyAssignment::return_one(Topic topic, int32_t partition) {
  const Member owner = topics_[topic].owners[static_cast<size_t>(partition)];
  const Member holder = topics_[topic].holders[static_cast<size_t>(partition)];
  if (owner == kNobody || owner == holder) return false;
  if (members_[holder].count == members_[owner].count + 1) {
    move(topic, partition, owner);
    return true;
  }
  const auto other = find_exchange(owner, holder);
  if (!other) return false;
  move(topic, partition, owner);
  move(other->first, other->second, holder);
  return true;
}

// A partition that `owner` holds without having owned it and that `holder` can read as well.
std::optional<std::pair<StickyAssignment::Topic, int32_t>> StickyAssignment::find_exchange(Member owner,
                                                                                           Member holder) const {
  for (const auto& [topic, partitions] : members_[owner].held) {
    if (!reads(holder, topic)) continue;
    const int32_t p = choose(topic, owner, holder);
    if (topics_[topic].owners[static_cast<size_t>(p)] != owner) return std::pair(topic, p);
  }
  return std::nullopt;
}

void StickyAssignment::move(Topic topic, int32_t partition, Member to) {
  Member& holder = topics_[topic].holders[static_cast<size_t>(partition)];
  if (holder != kNobody) {
    auto& held = members_[holder].held;
    held[topic].erase(partition);
    if (held[topic].empty()) held.erase(topic);
    --members_[holder].count;
  }
  holder = to;
  members_[to].held[topic].insert(partition);
  ++members_[to].count;
}

bool StickyAssignment::reads(Member member, Topic topic) const {
  const auto& topics = members_[member].topics;
  return std::binary_search(topics.begin(), topics.end(), topic);
}

}  // namespace pg
