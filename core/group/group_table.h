// Consumer groups as `__consumer_offsets` tells of them: who is in them, and what they have committed.
//
// Both are rows of one log, so that a commit can be decided on who is in the group at that very moment: a member that
// was taken out of it can commit nothing any more. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/format/group_record.h"
#include "core/store/log_table.h"

namespace pg {

struct Group {
  std::optional<GroupMetadata> metadata;  // none: nobody was ever a member, offsets were committed by hand
  std::map<TopicPartition, CommittedOffset> offsets;

  const GroupMember* member(const std::string& id) const;
};

class GroupTable {
 public:
  // Borrows `home`; makes the topic if needed. `only`: the one group that is kept in memory; empty: all.
  static Result<GroupTable> open(Home& home, std::optional<std::string> only, Deadline deadline);
  // The same, but nothing is made: empty if no group ever was.
  static Result<std::optional<GroupTable>> open_existing(Home& home, std::optional<std::string> only, Deadline deadline);

  // Takes in what was written since the last call.
  Result<> catch_up(Deadline deadline);
  // As of the last call. Groups that were deleted are not there.
  const std::map<std::string, Group>& groups() const { return groups_; }
  // Empty if there is no such group.
  const Group& group(const std::string& name) const;

  // Rows to write, decided on what groups() says; none: nothing is to be changed. Called again when somebody was first.
  using Decide = std::function<Result<std::vector<TableRow>>()>;
  // Returns when the change, and what it was decided on, is on stable storage and in groups(). On an error the change
  // may have been made.
  Result<> change(const Decide& decide, Deadline deadline);

 private:
  GroupTable(LogTable table, std::optional<std::string> only) : table_(std::move(table)), only_(std::move(only)) {}
  Result<> take_in(std::string_view key, std::optional<std::string_view> value);

  LogTable table_;
  std::optional<std::string> only_;
  std::map<std::string, Group> groups_;
};

TableRow offset_row(const std::string& group, const TopicPartition& partition, const std::optional<CommittedOffset>& offset);
TableRow metadata_row(const std::string& group, const std::optional<GroupMetadata>& metadata);

}  // namespace pg
