// Groups as an operator sees and changes them: for pg-group.
#pragma once

#include <pilgrimage/group_consumer.h>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/group/group_table.h"
#include "core/local/consumer.h"

namespace pg {

using pilgrimage::DeliveredOffset;

// A group's progress in one partition.
struct PartitionProgress {
  TopicPartition partition;
  std::optional<CommittedOffset>
      committed;              // as it counts now: if the log has lost the end of its epoch, where the epoch ended
  Offset log_start, log_end;  // log_end: the high watermark
  Offset last_stable;         // up to which consumers read: below log_end while a transaction is open
  std::string member;         // id of the live member that it is assigned to, or empty

  // How many offsets the group has before it. Without a commit, all there are.
  int64_t lag() const;
};

// A group, its members and its progress.
struct GroupDescription {
  std::string name;
  int32_t generation = -1;
  std::string assignor;                       // empty where nobody is a member
  std::vector<GroupMember> members;           // those that live
  std::vector<PartitionProgress> partitions;  // those chosen; or that have offsets, and all of topics that members read
  bool is_live() const { return !members.empty(); }
};

// A row of list_groups().
struct GroupSummary {
  std::string name;
  bool is_live = false;
};
// Sorted by name.
Result<std::vector<GroupSummary>> list_groups(Home& home, Deadline deadline);

// Which partitions an operation is for: a whole topic where there is no partition; none: all that the group knows.
struct PartitionChoice {
  std::string topic;
  std::optional<PartitionId> partition;
};

// not_found: nobody ever joined it or committed for it; or a topic that is chosen.
Result<GroupDescription> describe_group(Home& home, const std::string& group,
                                        const std::vector<PartitionChoice>& choice, Deadline deadline);

// Every group, sorted by name; the table is read once. An error of `visit` ends it.
using VisitGroup = std::function<Result<>(const GroupDescription&)>;
Result<> describe_all_groups(Home& home, const VisitGroup& visit, Deadline deadline);

// A committed offset before and after a change.
struct OffsetChange {
  TopicPartition partition;
  std::optional<Offset> from;
  Offset to;          // -1: it is forgotten
  LeaderEpoch epoch;  // of the log at `to`, as far as it is known
};

// What seek_group would do; changes nothing. Places are as in Place, but after_start and before_end count from the
// committed offset. Those outside of a log become its start or its end.
Result<std::vector<OffsetChange>> plan_seek(Home& home, const std::string& group, const Place& place,
                                            const std::vector<PartitionChoice>& choice, Deadline deadline);

enum class LiveGroup { refuse, fence };  // busy; or its members are taken out, and join again at the new offsets

// Moves the group's offsets, all at once. Errors: not_found, busy.
Result<std::vector<OffsetChange>> seek_group(Home& home, const std::string& group, const Place& place,
                                             const std::vector<PartitionChoice>& choice, LiveGroup live,
                                             Deadline deadline);

// Commits the offsets of a process that has finished its work on the records. Never goes back: a partition whose
// committed offset is higher already keeps it. An offset counts up to where the log has its epoch; that holds for new
// and for stored offsets. Returns the partitions that were changed. Errors: busy (members are reading), not_found (a
// topic), out_of_range (the log ends before), conflict (the group now has another offset than `from`: another process
// has committed, or moved it; nothing is committed).
Result<std::vector<OffsetChange>> commit_offsets(Home& home, const std::string& group,
                                                 const std::vector<DeliveredOffset>& offsets, Deadline deadline);

// Forgets committed offsets. Those that were there. Errors: not_found, busy.
Result<std::vector<OffsetChange>> delete_offsets(Home& home, const std::string& group,
                                                 const std::vector<PartitionChoice>& choice, Deadline deadline);
Result<> delete_group(Home& home, const std::string& group, Deadline deadline);

}  // namespace pg
