#include "core/group/group_table.h"

#include <algorithm>

namespace pg {

const GroupMember* Group::member(const std::string& id) const {
  if (!metadata) return nullptr;
  const auto found = std::find_if(metadata->members.begin(), metadata->members.end(), [&](const auto& member) { return member.id == id; });
  return found == metadata->members.end() ? nullptr : &*found;
}

Result<GroupTable> GroupTable::open(Home& home, std::optional<std::string> only, Deadline deadline) {
  PG_ASSIGN(auto table, LogTable::open(home, kConsumerOffsetsTable, deadline));
  GroupTable opened(std::move(table), std::move(only));
  PG_CHECK(opened.catch_up(deadline));
  return opened;
}

Result<std::optional<GroupTable>> GroupTable::open_existing(Home& home, std::optional<std::string> only, Deadline deadline) {
  const auto topic = home.describe_topic(kConsumerOffsetsTable);
  if (!topic && topic.error().code == Errc::not_found) return std::nullopt;
  PG_CHECK(topic);
  return open(home, std::move(only), deadline);
}

Result<> GroupTable::catch_up(Deadline deadline) {
  return table_.catch_up([this](std::string_view key, std::optional<std::string_view> value) { return take_in(key, value); }, deadline);
}

Result<> GroupTable::take_in(std::string_view key, std::optional<std::string_view> value) {
  PG_ASSIGN(const auto parsed, parse_group_record_key(key));
  if (!parsed) return {};  // of a newer version
  const auto* of_offset = std::get_if<OffsetKey>(&*parsed);
  const std::string& name = of_offset != nullptr ? of_offset->group : std::get<GroupKey>(*parsed).group;
  if (only_ && name != *only_) return {};
  Group& group = groups_[name];
  if (of_offset == nullptr) {
    group.metadata.reset();
    if (value) {
      PG_ASSIGN(group.metadata, parse_group_metadata(*value));
    }
  } else if (value) {
    PG_ASSIGN(group.offsets[of_offset->partition], parse_committed_offset(*value));
  } else {
    group.offsets.erase(of_offset->partition);
  }
  if (!group.metadata && group.offsets.empty()) groups_.erase(name);
  return {};
}

const Group& GroupTable::group(const std::string& name) const {
  static const Group none;
  const auto found = groups_.find(name);
  return found == groups_.end() ? none : found->second;
}

Result<> GroupTable::change(const Decide& decide, Deadline deadline) {
  for (;;) {
    PG_CHECK(catch_up(deadline));
    PG_ASSIGN(const auto rows, decide());
    if (!rows.empty()) {
      PG_ASSIGN(const bool appended, table_.append(rows, deadline));
      if (!appended) continue;
      PG_CHECK(catch_up(deadline));
    }
    return table_.flush(deadline);
  }
}

TableRow offset_row(const std::string& group, const TopicPartition& partition, const std::optional<CommittedOffset>& offset) {
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
