// What becomes of a group when members come and go: pure functions of the group as it is and what was noticed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/base/result.h"
#include "core/format/group_record.h"
#include "core/group/assignor.h"

namespace pg {

// What has happened to the members of a group.
struct GroupChange {
  std::set<std::string> gone = {};            // ids of members that left, died or hang
  std::optional<GroupMember> joining = {};    // takes the place of a member that had its slot: that one is dead
  std::optional<AssignorKind> assignor = {};  // what the joining member asks for
};

// How many partitions the topics have. Topics that do not exist are missing.
using PartitionCounts = std::map<std::string, int32_t>;

// The group after `change`; empty if nothing changes, which is so also where every partition has an owner as it should.
// The generation is one higher then. conflict: the joining member asks for another assignor than the group has.
Result<std::optional<GroupMetadata>> next_generation(const std::optional<GroupMetadata>& current,
                                                     const GroupChange& change, const PartitionCounts& counts,
                                                     int64_t now_ms);

// The topics that members read.
std::set<std::string> subscribed_topics(const GroupMetadata& group);

}  // namespace pg
