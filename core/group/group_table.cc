#include "core/group/group_table.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/format/path_names.h"

namespace pg {

const GroupMember* Group::member(const std::string& id) const {
  if (!metadata) return nullptr;
  const auto found = std::find_if(metadata->members.begin(), metadata->members.end(),
                                  [&](const auto& member) { return member.id == id; });
  return found == metadata->members.end() ? nullptr : &*found;
}

const CommittedOffset* CommittedOffsets::of(const TopicPartition& partition, const Uuid& topic_id) const {
  const auto found = by_partition.find(partition);
  if (found == by_partition.end()) return nullptr;
  // What somebody else has committed says something else there, or nothing.
  const auto committed_id = parse_uuid(found->second.metadata);
  return committed_id && *committed_id != topic_id ? nullptr : &found->second;
}

CommittedOffset committed_offset(const Env& env, Offset next, LeaderEpoch epoch, const Uuid& topic_id) {
  return {next, epoch, uuid_text(topic_id), env.clock.wall_ms()};
}

Result<GroupTable> GroupTable::open(Home& home, std::optional<std::string> only, Deadline deadline) {
  PG_ASSIGN(auto table, LogTable::open(home, kConsumerOffsetsTable, deadline));
  GroupTable opened(home.env(), std::move(table), std::move(only));
  PG_CHECK(opened.catch_up(deadline));
  return opened;
}

Result<std::optional<GroupTable>> GroupTable::open_existing(Home& home, std::optional<std::string> only,
                                                            Deadline deadline) {
  const auto topic = home.describe_topic(kConsumerOffsetsTable);
  if (!topic && topic.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(topic);
  return open(home, std::move(only), deadline);
}

Result<> GroupTable::catch_up(Deadline deadline) {
  const auto forget = [this] {
    groups_.clear();
    ++rows_taken_;  // what was decided on them is decided again
  };
  return table_.catch_up(
      [this](std::string_view key, std::optional<std::string_view> value) { return take_in(key, value); }, forget,
      deadline);
}

Result<> GroupTable::take_in(std::string_view key, std::optional<std::string_view> value) {
  PG_ASSIGN(const auto parsed, parse_group_record_key(key));
  if (!parsed) return {};  // of a newer version
  const auto* of_offset = std::get_if<OffsetKey>(&*parsed);
  const std::string& name = of_offset != nullptr ? of_offset->group : std::get<GroupKey>(*parsed).group;
  // Kafka takes any name; ours are those of directories.
  if ((only_ && name != *only_) || !names::check_group_name(name)) return {};
  ++rows_taken_;
  Group& group = groups_[name];
  if (of_offset == nullptr) {
    group.metadata.reset();
    if (value) {
      PG_ASSIGN(group.metadata, parse_group_metadata(*value));
    }
  } else if (value) {
    PG_ASSIGN(group.offsets.by_partition[of_offset->partition], parse_committed_offset(*value));
  } else {
    group.offsets.by_partition.erase(of_offset->partition);
  }
  if (!group.metadata && group.offsets.by_partition.empty()) groups_.erase(name);
  return {};
}

const Group& GroupTable::group(const std::string& name) const {
  static const Group none;
  const auto found = groups_.find(name);
  return found == groups_.end() ? none : found->second;
}

Result<> GroupTable::change(const Decide& decide, Deadline deadline) {
  StopPatience stop;
  PG_CHECK(catch_up(deadline));
  for (;;) {
    const int64_t decided_on = rows_taken_;
    PG_ASSIGN(const auto rows, decide());
    if (rows.empty()) return {};
    while (rows_taken_ == decided_on) {
      PG_ASSIGN(const bool appended, table_.append(rows, deadline));
      PG_CHECK(catch_up(deadline));
      if (appended) return table_.flush(deadline);
      if (env_.clock.now() >= deadline)
        return fail(Errc::timed_out, "other groups change all the time, and were always first");
      if (stop.is_over(env_.clock)) return fail(Errc::interrupted, "interrupted while others were first");
    }
  }
}

TableRow offset_row(const std::string& group, const TopicPartition& partition,
                    const std::optional<CommittedOffset>& offset) {
  TableRow row{write_offset_key({group, partition}), std::nullopt};
  if (offset) row.value = write_committed_offset(*offset);
  return row;
}

TableRow metadata_row(const std::string& group, const std::optional<GroupMetadata>& metadata) {
  TableRow row{write_group_key({group}), std::nullopt};
  if (metadata) row.value = write_group_metadata(*metadata);
  return row;
}

}  // namespace pg
