// The members and the committed offsets of consumer groups, as `__consumer_offsets` has them.
//
// Both are rows of one log, so that a commit depends on the members of the group at that very moment: a member that was
// removed from the group can commit nothing any more. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/format/group_record.h"
#include "core/store/log_table.h"

namespace pg {

// Committed offsets by partition.
struct CommittedOffsets {
  std::map<TopicPartition, CommittedOffset> by_partition;

  // Null: none, or one of another topic that had the name before.
  const CommittedOffset* of(const TopicPartition& partition, const Uuid& topic_id) const;
};

// A group as its rows describe it.
struct Group {
  std::optional<GroupMetadata> metadata;  // none: nobody was ever a member, offsets were committed by hand
  CommittedOffsets offsets;

  const GroupMember* member(const std::string& id) const;  // null: there is none
};

// Where a partition stands, as it is committed: the metadata, free in Kafka's format, names the topic by its id.
CommittedOffset committed_offset(const Env& env, Offset next, LeaderEpoch epoch, const Uuid& topic_id);

class GroupTable {
 public:
  // Borrows `home`; makes the topic if needed. `only`: the one group that is kept in memory; empty: all.
  static Result<GroupTable> open(Home& home, std::optional<std::string> only, Deadline deadline);
  // The same, but nothing is made: empty if no group ever was.
  static Result<std::optional<GroupTable>> open_existing(Home& home, std::optional<std::string> only,
                                                         Deadline deadline);

  // Takes in what was written since the last call.
  Result<> catch_up(Deadline deadline);
  // As of the last call. Groups that were deleted are not there.
  const std::map<std::string, Group>& groups() const { return groups_; }
  // Empty if there is no such group.
  const Group& group(const std::string& name) const;

  // Rows to write, decided on what groups() says; none: nothing is to be changed. Called again when the groups that are
  // kept have changed meanwhile; when others have, the same rows are written.
  using Decide = std::function<Result<std::vector<TableRow>>()>;
  // Returns when the change, and what it was decided on, is on stable storage and in groups(). Where nothing is
  // changed, nothing is flushed. On an error the change may have been made. timed_out, interrupted: others were always
  // first.
  Result<> change(const Decide& decide, Deadline deadline);
  // Everything that was read is on stable storage.
  Result<> flush(Deadline deadline) { return table_.flush(deadline); }

 private:
  GroupTable(const Env& env, LogTable table, std::optional<std::string> only)
      : env_(env), table_(std::move(table)), only_(std::move(only)) {}
  Result<> take_in(std::string_view key, std::optional<std::string_view> value);

  Env env_;
  LogTable table_;
  std::optional<std::string> only_;
  std::map<std::string, Group> groups_;
  int64_t rows_taken_ = 0;  // into groups_
};

TableRow offset_row(const std::string& group, const TopicPartition& partition,
                    const std::optional<CommittedOffset>& offset);
TableRow metadata_row(const std::string& group, const std::optional<GroupMetadata>& metadata);

}  // namespace pg
