#include "core/local/group_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/format/path_names.h"
#include "core/group/group_plan.h"
#include "core/group/member_slots.h"
#include "core/local/offset_place.h"
#include "core/log/epoch_guard.h"
#include "core/store/leader.h"

namespace pg {
namespace {

Error unknown_group(const std::string& group) {
  return {Errc::not_found, fmt::format("group '{}' does not exist", group), {}, {}, 0};
}

// The metadata of a group may list members that were killed.
Result<std::vector<GroupMember>> live_members(const Home& home, const std::string& name, const Group& group) {
  return living(home.env(), home.path(), name, group.metadata ? group.metadata->members : std::vector<GroupMember>());
}

Result<> refuse_live(const Home& home, const std::string& name, const Group& group) {
  PG_ASSIGN(const auto live, live_members(home, name, group));
  if (live.empty()) return {};
  return fail(Errc::busy, fmt::format("group '{}' has {} live members, the first of them process {}", name, live.size(),
                                      live.front().process.pid));
}

// Changes a group that has no live members, as `rows` says of it; busy if it has.
Result<> change_idle(const Home& home, GroupTable& table, const std::string& name, Deadline deadline,
                     const std::function<Result<std::vector<TableRow>>(const Group&)>& rows) {
  return table.change(
      [&]() -> Result<std::vector<TableRow>> {
        PG_CHECK(refuse_live(home, name, table.group(name)));
        return rows(table.group(name));
      },
      deadline);
}

std::string owner_of(const std::vector<GroupMember>& members, const TopicPartition& partition) {
  for (const auto& member : members) {
    const auto topic = member.assignment.find(partition.topic);
    if (topic == member.assignment.end()) continue;
    if (std::find(topic->second.begin(), topic->second.end(), partition.partition) != topic->second.end())
      return member.id;
  }
  return {};
}

// Topics by name; those that are gone are not there.
class Topics {
 public:
  explicit Topics(const Home& home) : home_(home) {}
  // Null: it does not exist.
  Result<const TopicMetadata*> find(const std::string& name) {
    const auto known = topics_.find(name);
    if (known != topics_.end()) return known->second ? &*known->second : nullptr;
    auto topic = home_.describe_topic(name);
    if (!topic && topic.error().code != Errc::not_found) return tl::unexpected(topic.error());
    auto& kept = topics_[name];
    if (topic) kept = std::move(*topic);
    return kept ? &*kept : nullptr;
  }
  Result<const TopicMetadata*> get(const std::string& name) {
    PG_ASSIGN(const TopicMetadata* const topic, find(name));
    if (topic == nullptr) return fail(Errc::not_found, fmt::format("topic '{}' does not exist", name));
    return topic;
  }
  // Null: it does not exist.
  Result<std::unique_ptr<PartitionLog>> open(const TopicPartition& partition, Deadline deadline) {
    PG_ASSIGN(const TopicMetadata* const topic, find(partition.topic));
    if (topic == nullptr || !topic->has(partition.partition)) return std::unique_ptr<PartitionLog>();
    return open_committed(home_, *topic, partition.partition, deadline);
  }

 private:
  const Home& home_;
  std::map<std::string, std::optional<TopicMetadata>> topics_;
};

void add_all(const TopicMetadata& topic, std::set<TopicPartition>& partitions) {
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) partitions.insert({topic.name, PartitionId(p)});
}

// All partitions of topics that members read, and all that have offsets; or those that are chosen.
Result<std::set<TopicPartition>> chosen_partitions(Topics& topics, const Group& group,
                                                   const std::vector<PartitionChoice>& choice) {
  std::set<TopicPartition> chosen;
  for (const auto& each : choice) {
    PG_ASSIGN(const TopicMetadata* const topic, topics.get(each.topic));
    if (!each.partition)
      add_all(*topic, chosen);
    else if (topic->has(*each.partition))
      chosen.insert({each.topic, *each.partition});
    else
      return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", each.topic, each.partition->value));
  }
  if (!choice.empty()) return chosen;
  for (const auto& [partition, offset] : group.offsets.by_partition) chosen.insert(partition);
  for (const auto& name : group.metadata ? subscribed_topics(*group.metadata) : std::set<std::string>()) {
    PG_ASSIGN(const TopicMetadata* const topic, topics.find(name));
    if (topic != nullptr) add_all(*topic, chosen);
  }
  return chosen;
}

// Also a topic that is gone can be named.
bool is_chosen(const std::vector<PartitionChoice>& choice, const TopicPartition& partition) {
  return choice.empty() || std::any_of(choice.begin(), choice.end(), [&](const PartitionChoice& each) {
           return each.topic == partition.topic && (!each.partition || *each.partition == partition.partition);
         });
}

// What a committed offset means in the present log: if the log has lost the end of its epoch, it counts as where the
// epoch ended (KIP-320).
Result<CommittedOffset> as_in(const PartitionLog& log, CommittedOffset committed) {
  PG_ASSIGN(committed.offset, shared_end(log, EpochTrail(committed.leader_epoch), committed.offset));
  return committed;
}

// The same for the offset that the group has stored; empty: it has none.
Result<std::optional<CommittedOffset>> stored_offset(const Group& group, const TopicPartition& partition,
                                                     const Uuid& topic_id, const PartitionLog& log) {
  const CommittedOffset* stored = group.offsets.of(partition, topic_id);
  if (stored == nullptr) return std::nullopt;
  return as_in(log, *stored);
}

Result<PartitionProgress> progress_of(Topics& topics, const Group& group, const TopicPartition& partition,
                                      Deadline deadline) {
  PartitionProgress progress;
  progress.partition = partition;
  PG_ASSIGN(const auto log, topics.open(partition, deadline));
  if (!log) {
    if (const auto found = group.offsets.by_partition.find(partition); found != group.offsets.by_partition.end())
      progress.committed = found->second;
    return progress;
  }
  PG_ASSIGN(const TopicMetadata* const topic, topics.get(partition.topic));
  PG_ASSIGN(progress.committed, stored_offset(group, partition, topic->id, *log));
  const auto state = log->current_state();
  progress.log_start = state->position().log_start;
  progress.log_end = state->high_watermark();
  PG_ASSIGN(progress.last_stable, last_stable_offset(*log, progress.log_end));
  return progress;
}

Result<GroupDescription> describe(const Home& home, const std::string& name, const Group& group,
                                  const std::vector<PartitionChoice>& choice, Deadline deadline) {
  GroupDescription description;
  description.name = name;
  PG_ASSIGN(description.members, live_members(home, name, group));
  if (group.metadata) description.generation = group.metadata->generation;
  if (description.is_live()) description.assignor = group.metadata->protocol;
  Topics topics(home);
  PG_ASSIGN(const auto partitions, chosen_partitions(topics, group, choice));
  for (const auto& partition : partitions) {
    PG_ASSIGN(auto progress, progress_of(topics, group, partition, deadline));
    progress.member = owner_of(description.members, partition);
    description.partitions.push_back(std::move(progress));
  }
  return description;
}

Result<GroupTable> open_table(Home& home, const std::string& group, Deadline deadline) {
  PG_CHECK(names::check_group_name(group));
  PG_ASSIGN(auto table, GroupTable::open_existing(home, group, deadline));
  if (!table || table->groups().empty()) return tl::unexpected(unknown_group(group));
  return std::move(*table);
}

Result<Offset> resolve(PartitionLog& log, const Place& place, std::optional<Offset> committed) {
  const auto state = log.current_state();
  const Offset start = state->position().log_start, end = state->high_watermark();
  const Offset current = std::clamp(committed.value_or(start), start, end);
  if (place.kind == Place::Kind::after_start) return current + std::min(place.value, end - current);
  if (place.kind == Place::Kind::before_end) return current + -std::min(place.value, current - start);
  // At the high watermark the group would skip the records of open transactions.
  PG_ASSIGN(const Offset stable_end, place.kind == Place::Kind::end ? last_stable_offset(log, end) : end);
  PG_ASSIGN(const Offset to, resolve_place(log, place, start, stable_end));
  return std::clamp(to, start, end);
}

// Where a place is in each partition; partitions that are gone are left out.
Result<std::vector<OffsetChange>> plan_offsets(Topics& topics, const Group& group, const Place& place,
                                               const std::vector<PartitionChoice>& choice, Deadline deadline) {
  std::vector<OffsetChange> changes;
  PG_ASSIGN(const auto partitions, chosen_partitions(topics, group, choice));
  for (const auto& partition : partitions) {
    PG_ASSIGN(const auto log, topics.open(partition, deadline));
    if (!log) continue;
    PG_ASSIGN(const TopicMetadata* const topic, topics.get(partition.topic));
    PG_ASSIGN(const auto stored, stored_offset(group, partition, topic->id, *log));
    const auto from = stored ? std::optional(stored->offset) : std::nullopt;
    PG_ASSIGN(const Offset to, resolve(*log, place, from));
    changes.push_back({partition, from, to, log->current_state()->leader_epoch()});
  }
  return changes;
}

// Whether the group still has the offset where its reader began. If not, another process may have done the same work.
Result<> check_unmoved(const std::string& name, const Group& group, const DeliveredOffset& delivered,
                       const Uuid& topic_id, const PartitionLog& log) {
  if (!delivered.from) return {};
  const CommittedOffset* stored = group.offsets.of(delivered.partition, topic_id);
  if (stored != nullptr) {
    PG_ASSIGN(const auto counted, as_in(log, *stored));
    if (stored->offset == *delivered.from || counted.offset == *delivered.from) return {};
  }
  return fail(Errc::conflict, fmt::format("group '{}' was at {} of '{}' when this was read, and is at {} now: another "
                                          "process has committed meanwhile, or "
                                          "this was committed already; nothing is committed",
                                          name, delivered.from->value, log.name(),
                                          stored != nullptr ? std::to_string(stored->offset.value) : "no offset"));
}

// Its members can commit nothing any more, and join again.
GroupMetadata without_members(GroupMetadata group) {
  group.members.clear();
  group.protocol = group.leader = "";
  ++group.generation;
  return group;
}

}  // namespace

int64_t PartitionProgress::lag() const {
  const Offset next = committed ? std::max(committed->offset, log_start) : log_start;
  return std::max<int64_t>(0, last_stable - next);
}

Result<std::vector<GroupSummary>> list_groups(Home& home, Deadline deadline) {
  std::vector<GroupSummary> groups;
  PG_ASSIGN(const auto table, GroupTable::open_existing(home, {}, deadline));
  if (!table) return groups;
  for (const auto& [name, group] : table->groups()) {
    PG_ASSIGN(const auto members, live_members(home, name, group));
    groups.push_back({name, !members.empty()});
  }
  return groups;
}

Result<GroupDescription> describe_group(Home& home, const std::string& group,
                                        const std::vector<PartitionChoice>& choice, Deadline deadline) {
  PG_ASSIGN(const auto table, open_table(home, group, deadline));
  return describe(home, group, table.group(group), choice, deadline);
}

Result<> describe_all_groups(Home& home, const VisitGroup& visit, Deadline deadline) {
  PG_ASSIGN(const auto table, GroupTable::open_existing(home, {}, deadline));
  if (!table) return {};
  for (const auto& [name, group] : table->groups()) {
    PG_ASSIGN(const auto description, describe(home, name, group, {}, deadline));
    PG_CHECK(visit(description));
  }
  return {};
}

Result<std::vector<OffsetChange>> plan_seek(Home& home, const std::string& name, const Place& place,
                                            const std::vector<PartitionChoice>& choice, Deadline deadline) {
  PG_CHECK(names::check_group_name(name));
  PG_ASSIGN(const auto table, GroupTable::open_existing(home, name, deadline));
  if (choice.empty() && (!table || table->groups().empty())) return tl::unexpected(unknown_group(name));
  Topics topics(home);
  return plan_offsets(topics, table ? table->group(name) : Group(), place, choice, deadline);
}

Result<std::vector<OffsetChange>> seek_group(Home& home, const std::string& name, const Place& place,
                                             const std::vector<PartitionChoice>& choice, LiveGroup live,
                                             Deadline deadline) {
  PG_CHECK(names::check_group_name(name));
  // A group that does not exist yet may be given a place to begin at, if topics are named.
  PG_ASSIGN(auto table, choice.empty() ? open_table(home, name, deadline) : GroupTable::open(home, name, deadline));
  Topics topics(home);
  std::vector<OffsetChange> changes;
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    const Group& group = table.group(name);
    if (live == LiveGroup::refuse) PG_CHECK(refuse_live(home, name, group));
    PG_ASSIGN(changes, plan_offsets(topics, group, place, choice, deadline));
    std::vector<TableRow> rows;
    for (const auto& change : changes) {
      PG_ASSIGN(const TopicMetadata* const topic, topics.get(change.partition.topic));
      rows.push_back(
          offset_row(name, change.partition, committed_offset(home.env(), change.to, change.epoch, topic->id)));
    }
    if (!rows.empty() && group.metadata && !group.metadata->members.empty())
      rows.push_back(metadata_row(name, without_members(*group.metadata)));
    return rows;
  };
  PG_CHECK(table.change(decide, deadline));
  return changes;
}

Result<std::vector<OffsetChange>> commit_offsets(Home& home, const std::string& name,
                                                 const std::vector<DeliveredOffset>& offsets, Deadline deadline) {
  PG_CHECK(names::check_group_name(name));
  Topics topics(home);
  std::map<TopicPartition, CommittedOffset> furthest;
  std::map<TopicPartition, std::unique_ptr<PartitionLog>> logs;
  for (const auto& each : offsets) {
    PG_ASSIGN(const TopicMetadata* const topic, topics.get(each.partition.topic));
    auto& log = logs[each.partition];
    if (!log) {
      PG_ASSIGN(log, topics.open(each.partition, deadline));
    }
    if (!log)
      return fail(Errc::not_found,
                  fmt::format("topic '{}' has no partition {}", topic->name, each.partition.partition.value));
    PG_ASSIGN(const auto next, as_in(*log, committed_offset(home.env(), each.next, each.leader_epoch, topic->id)));
    if (const Offset end = log->current_state()->high_watermark(); next.offset > end) {
      return fail(Errc::out_of_range,
                  fmt::format("'{}' ends at {}, below offset {}", log->name(), end.value, each.next.value));
    }
    CommittedOffset& kept = furthest[each.partition];
    if (next.offset >= kept.offset) kept = next;
  }
  PG_ASSIGN(auto table, GroupTable::open(home, name, deadline));
  std::vector<OffsetChange> changes;
  const auto has_changes = [&](const Group& group) -> Result<bool> {
    for (const auto& change : changes) {
      PG_ASSIGN(const TopicMetadata* const topic, topics.get(change.partition.topic));
      const CommittedOffset* const stored = group.offsets.of(change.partition, topic->id);
      if (stored == nullptr || stored->offset != change.to) return false;
    }
    return !changes.empty();
  };
  const auto decide = [&](const Group& group) -> Result<std::vector<TableRow>> {
    std::vector<TableRow> rows;
    // An election came while the rows of the attempt before were on their way, and the new leader has them.
    PG_ASSIGN(const bool is_done, has_changes(group));
    if (is_done) return rows;
    changes.clear();
    for (const auto& each : offsets) {
      PG_ASSIGN(const TopicMetadata* const topic, topics.get(each.partition.topic));
      PG_CHECK(check_unmoved(name, group, each, topic->id, *logs.at(each.partition)));
    }
    for (const auto& [partition, next] : furthest) {
      PG_ASSIGN(const TopicMetadata* const topic, topics.get(partition.topic));
      PG_ASSIGN(const auto stored, stored_offset(group, partition, topic->id, *logs.at(partition)));
      if (stored && stored->offset >= next.offset) continue;
      changes.push_back(
          {partition, stored ? std::optional(stored->offset) : std::nullopt, next.offset, next.leader_epoch});
      rows.push_back(offset_row(name, partition, next));
    }
    return rows;
  };
  PG_CHECK(change_idle(home, table, name, deadline, decide));
  PG_CHECK(table.flush(deadline));
  return changes;
}

Result<std::vector<OffsetChange>> delete_offsets(Home& home, const std::string& name,
                                                 const std::vector<PartitionChoice>& choice, Deadline deadline) {
  PG_ASSIGN(auto table, open_table(home, name, deadline));
  std::vector<OffsetChange> changes;
  PG_CHECK(change_idle(home, table, name, deadline, [&](const Group& group) -> Result<std::vector<TableRow>> {
    std::vector<TableRow> rows;
    changes.clear();
    for (const auto& [partition, offset] : group.offsets.by_partition) {
      if (!is_chosen(choice, partition)) continue;
      changes.push_back({partition, offset.offset, Offset(-1), LeaderEpoch(-1)});
      rows.push_back(offset_row(name, partition, std::nullopt));
    }
    return rows;
  }));
  return changes;
}

Result<> delete_group(Home& home, const std::string& name, Deadline deadline) {
  PG_ASSIGN(auto table, open_table(home, name, deadline));
  return change_idle(home, table, name, deadline, [&](const Group& group) -> Result<std::vector<TableRow>> {
    std::vector<TableRow> rows;
    for (const auto& [partition, offset] : group.offsets.by_partition)
      rows.push_back(offset_row(name, partition, std::nullopt));
    if (group.metadata) rows.push_back(metadata_row(name, std::nullopt));
    return rows;
  });
}

}  // namespace pg
