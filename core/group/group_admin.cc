#include "core/group/group_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/format/path_names.h"
#include "core/group/group_plan.h"
#include "core/group/member_slots.h"

namespace pg {
namespace {

Error unknown_group(const std::string& group) {
  return {Errc::not_found, fmt::format("group '{}' does not exist", group), {}, {}, 0};
}

// Those whose slots are held. A group whose last member was killed still lists it.
Result<std::vector<GroupMember>> live_members(const Home& home, const std::string& name, const Group& group) {
  std::vector<GroupMember> live;
  if (!group.metadata || group.metadata->members.empty()) return live;
  PG_ASSIGN(const auto slots, MemberSlots::open(home.env(), home.path(), name));
  for (const auto& member : group.metadata->members) {
    if (member.process.slot < 0) continue;
    PG_ASSIGN(const bool held, slots->is_held(member.process.slot));
    if (held) live.push_back(member);
  }
  return live;
}

Result<> refuse_live(const Home& home, const std::string& name, const Group& group) {
  PG_ASSIGN(const auto live, live_members(home, name, group));
  if (live.empty()) return {};
  return fail(Errc::busy, fmt::format("group '{}' has {} live members, the first of them process {}", name, live.size(),
                                      live.front().process.pid));
}

std::string owner_of(const std::vector<GroupMember>& members, const TopicPartition& partition) {
  for (const auto& member : members) {
    const auto topic = member.assignment.find(partition.topic);
    if (topic == member.assignment.end()) continue;
    if (std::find(topic->second.begin(), topic->second.end(), partition.partition) != topic->second.end()) return member.id;
  }
  return {};
}

// All partitions of topics that members read, and all that have offsets.
Result<std::set<TopicPartition>> known_partitions(const Home& home, const Group& group) {
  std::set<TopicPartition> known;
  for (const auto& [partition, offset] : group.offsets) known.insert(partition);
  if (!group.metadata) return known;
  for (const auto& name : subscribed_topics(*group.metadata)) {
    const auto topic = home.describe_topic(name);
    if (!topic && topic.error().code == Errc::not_found) continue;
    PG_CHECK(topic);
    for (int32_t p = 0; std::cmp_less(p, topic->partitions.size()); ++p) known.insert({name, PartitionId(p)});
  }
  return known;
}

Result<std::set<TopicPartition>> chosen_partitions(const Home& home, const Group& group, const std::vector<PartitionChoice>& choice) {
  if (choice.empty()) return known_partitions(home, group);
  std::set<TopicPartition> chosen;
  for (const auto& each : choice) {
    PG_ASSIGN(const TopicMetadata topic, home.describe_topic(each.topic));
    if (each.partition && !topic.has(*each.partition)) {
      return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", each.topic, each.partition->value));
    }
    for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) {
      if (!each.partition || *each.partition == PartitionId(p)) chosen.insert({each.topic, PartitionId(p)});
    }
  }
  return chosen;
}

// Also a topic that is gone can be named.
bool is_chosen(const std::vector<PartitionChoice>& choice, const TopicPartition& partition) {
  return choice.empty() || std::any_of(choice.begin(), choice.end(), [&](const PartitionChoice& each) {
           return each.topic == partition.topic && (!each.partition || *each.partition == partition.partition);
         });
}

// Empty where the topic is gone.
Result<std::unique_ptr<PartitionLog>> open_log(const Home& home, const TopicPartition& partition, Deadline deadline) {
  const auto topic = home.describe_topic(partition.topic);
  if (!topic && topic.error().code == Errc::not_found) return std::unique_ptr<PartitionLog>();
  PG_CHECK(topic);
  if (!topic->has(partition.partition)) return std::unique_ptr<PartitionLog>();
  return home.open_partition(*topic, partition.partition, Access::read_write, deadline);
}

Result<GroupDescription> describe(const Home& home, const std::string& name, const Group& group,
                                  const std::vector<PartitionChoice>& choice, Deadline deadline) {
  GroupDescription description;
  description.name = name;
  PG_ASSIGN(description.members, live_members(home, name, group));
  if (group.metadata) description.generation = group.metadata->generation;
  if (description.is_live()) description.assignor = group.metadata->protocol;
  PG_ASSIGN(const auto partitions, chosen_partitions(home, group, choice));
  for (const auto& partition : partitions) {
    PartitionProgress progress{.partition = partition, .committed = {}, .log_start = {}, .log_end = {}, .member = owner_of(description.members, partition)};
    if (const auto found = group.offsets.find(partition); found != group.offsets.end()) progress.committed = found->second;
    PG_ASSIGN(const auto log, open_log(home, partition, deadline));
    if (log) {
      const auto state = log->current_state();
      progress.log_start = state->position().log_start;
      progress.log_end = state->high_watermark();
    }
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
  const Offset current = committed.value_or(start);
  Offset to;
  if (place.kind == Place::Kind::after_start) {
    to = current + place.value;
  } else if (place.kind == Place::Kind::before_end) {
    to = current + -place.value;
  } else {
    PG_ASSIGN(to, resolve_place(log, place, start, end));
  }
  return std::clamp(to, start, end);
}

}  // namespace

int64_t PartitionProgress::lag() const {
  const Offset next = committed ? std::max(committed->offset, log_start) : log_start;
  return std::max<int64_t>(0, log_end - next);
}

Result<std::vector<GroupDescription>> describe_groups(Home& home, Deadline deadline) {
  std::vector<GroupDescription> descriptions;
  PG_ASSIGN(const auto table, GroupTable::open_existing(home, {}, deadline));
  if (!table) return descriptions;
  for (const auto& [name, group] : table->groups()) {
    PG_ASSIGN(auto description, describe(home, name, group, {}, deadline));
    descriptions.push_back(std::move(description));
  }
  return descriptions;
}

Result<GroupDescription> describe_group(Home& home, const std::string& group, const std::vector<PartitionChoice>& choice,
                                        Deadline deadline) {
  PG_ASSIGN(const auto table, open_table(home, group, deadline));
  return describe(home, group, table.group(group), choice, deadline);
}

Result<std::vector<OffsetChange>> seek_group(Home& home, const std::string& name, const Place& place,
                                             const std::vector<PartitionChoice>& choice, LiveGroup live, bool dry_run,
                                             Deadline deadline) {
  PG_CHECK(names::check_group_name(name));
  // A group that does not exist yet may be given a place to begin at, if topics are named.
  PG_ASSIGN(auto table, choice.empty() ? open_table(home, name, deadline) : GroupTable::open(home, name, deadline));
  std::vector<OffsetChange> changes;
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    const Group& group = table.group(name);
    if (live == LiveGroup::refuse && !dry_run) PG_CHECK(refuse_live(home, name, group));
    std::vector<TableRow> rows;
    changes.clear();
    PG_ASSIGN(const auto partitions, chosen_partitions(home, group, choice));
    for (const auto& partition : partitions) {
      PG_ASSIGN(const auto log, open_log(home, partition, deadline));
      if (!log) continue;
      std::optional<Offset> from;
      if (const auto found = group.offsets.find(partition); found != group.offsets.end()) from = found->second.offset;
      PG_ASSIGN(const Offset to, resolve(*log, place, from));
      changes.push_back({partition, from, to});
      rows.push_back(offset_row(name, partition, CommittedOffset{to, LeaderEpoch(-1), "", home.env().clock.wall_ms()}));
    }
    if (group.metadata && !group.metadata->members.empty() && !rows.empty()) {
      GroupMetadata fenced = *group.metadata;
      fenced.members.clear();
      fenced.protocol = fenced.leader = "";
      ++fenced.generation;
      rows.push_back(metadata_row(name, fenced));
    }
    return dry_run ? std::vector<TableRow>() : rows;
  };
  PG_CHECK(table.change(decide, deadline));
  return changes;
}

Result<std::vector<OffsetChange>> commit_offsets(Home& home, const std::string& name, const std::vector<DeliveredOffset>& offsets,
                                                 Deadline deadline) {
  PG_CHECK(names::check_group_name(name));
  for (const auto& each : offsets) {
    PG_ASSIGN(const TopicMetadata topic, home.describe_topic(each.partition.topic));
    if (!topic.has(each.partition.partition)) {
      return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", topic.name, each.partition.partition.value));
    }
  }
  PG_ASSIGN(auto table, GroupTable::open(home, name, deadline));
  std::vector<OffsetChange> changes;
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    const Group& group = table.group(name);
    PG_CHECK(refuse_live(home, name, group));
    std::vector<TableRow> rows;
    changes.clear();
    for (const auto& each : offsets) {
      const auto found = group.offsets.find(each.partition);
      const auto from = found == group.offsets.end() ? std::nullopt : std::optional<Offset>(found->second.offset);
      if (from && *from >= each.next) continue;
      changes.push_back({each.partition, from, each.next});
      rows.push_back(offset_row(name, each.partition, CommittedOffset{each.next, each.leader_epoch, "", home.env().clock.wall_ms()}));
    }
    return rows;
  };
  PG_CHECK(table.change(decide, deadline));
  return changes;
}

Result<std::vector<OffsetChange>> delete_offsets(Home& home, const std::string& name, const std::vector<PartitionChoice>& choice,
                                                 Deadline deadline) {
  PG_ASSIGN(auto table, open_table(home, name, deadline));
  std::vector<OffsetChange> changes;
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    const Group& group = table.group(name);
    PG_CHECK(refuse_live(home, name, group));
    std::vector<TableRow> rows;
    changes.clear();
    for (const auto& [partition, offset] : group.offsets) {
      if (!is_chosen(choice, partition)) continue;
      changes.push_back({partition, offset.offset, Offset(-1)});
      rows.push_back(offset_row(name, partition, std::nullopt));
    }
    return rows;
  };
  PG_CHECK(table.change(decide, deadline));
  return changes;
}

Result<> delete_group(Home& home, const std::string& name, Deadline deadline) {
  PG_ASSIGN(auto table, open_table(home, name, deadline));
  return table.change(
      [&]() -> Result<std::vector<TableRow>> {
        const Group& group = table.group(name);
        PG_CHECK(refuse_live(home, name, group));
        std::vector<TableRow> rows;
        for (const auto& [partition, offset] : group.offsets) rows.push_back(offset_row(name, partition, std::nullopt));
        if (group.metadata) rows.push_back(metadata_row(name, std::nullopt));
        return rows;
      },
      deadline);
}

}  // namespace pg
