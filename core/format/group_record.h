// The records of __consumer_offsets, as Kafka writes them: the committed offsets and the members of a consumer group.
//
//   key    offset    version int16 = 1 (0 is the same), group, topic, partition int32
//          group     version int16 = 2, group
//   value  offset    version int16 = 3, offset int64, leader epoch int32, metadata, commit timestamp int64
//          group     version int16 = 3, protocol type = "consumer", generation int32, protocol or null, leader or null,
//                    state timestamp int64, and per member: id, group instance id or null, client id, client host,
//                    rebalance timeout int32, session timeout int32, subscription bytes, assignment bytes
//
// Strings have their length as int16 before them, bytes and lists as int32, -1 is null. Values of the versions 0 to 2
// are read too: they lack the leader epoch (below 3), the state timestamp (below 2), the rebalance timeout (below 1)
// and the group instance id (below 3), and version 1 of an offset has an expire timestamp behind its commit timestamp.
//
// Subscription and assignment are in the format of Kafka's consumer protocol, version 1. A subscription's user data,
// which Kafka leaves to the assignor, holds the member's process: version int8 = 1, slot int32, pid int32, pid
// namespace uint64, start time uint64.
//
// Source: Apache Kafka, core/src/main/resources/common/message/{OffsetCommit,GroupMetadata}{Key,Value}.json and
// clients/src/main/resources/common/message/ConsumerProtocol{Subscription,Assignment}.json.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

using Assignment = std::map<std::string, std::vector<PartitionId>>;  // by topic; partitions are sorted

// The key of a row that says what a group has committed for a partition.
struct OffsetKey {
  std::string group;
  TopicPartition partition;
  bool operator==(const OffsetKey&) const = default;
};

// The key of a row that lists the members of a group.
struct GroupKey {
  std::string group;
  bool operator==(const GroupKey&) const = default;
};

using GroupRecordKey = std::variant<OffsetKey, GroupKey>;

// Where a group goes on in a partition.
struct CommittedOffset {
  Offset offset;                 // of the next record to read
  LeaderEpoch leader_epoch{-1};  // of the last record read; -1 is unknown
  std::string metadata;          // a free text of the committing process; at most 32767 bytes, as all strings here
  int64_t commit_timestamp_ms = -1;
  bool operator==(const CommittedOffset&) const = default;
};

// Where a member runs, for others on the same machine to look at it.
struct MemberProcess {
  int32_t slot = -1;  // below 0: not known, something else than we wrote the record
  int32_t pid = 0;
  uint64_t pid_namespace = 0;
  uint64_t start_time = 0;
  bool operator==(const MemberProcess&) const = default;
};

// One member of a group, as the row of its group has it.
struct GroupMember {
  std::string id, client_id, client_host;
  int32_t session_timeout_ms = 0;
  std::vector<std::string> topics;
  MemberProcess process;
  Assignment assignment;
  bool operator==(const GroupMember&) const = default;
};

// The members of a group at one generation.
struct GroupMetadata {
  int32_t generation = 0;
  std::string protocol;  // the assignor's name; empty: none
  std::string leader;    // empty: none
  int64_t state_timestamp_ms = -1;
  std::vector<GroupMember> members;
  bool operator==(const GroupMetadata&) const = default;
};

std::string write_offset_key(const OffsetKey& key);
std::string write_group_key(const GroupKey& key);
std::string write_committed_offset(const CommittedOffset& committed);
std::string write_group_metadata(const GroupMetadata& group);

// Empty for a key of a newer version, whose records are to be passed over: so does Kafka. corrupt where it is
// malformed.
Result<std::optional<GroupRecordKey>> parse_group_record_key(std::string_view bytes);
// corrupt where it is malformed, unsupported_version where a newer version wrote it. Members of something else than
// consumers (Kafka Connect's workers) have neither topics nor an assignment.
Result<CommittedOffset> parse_committed_offset(std::string_view bytes);
Result<GroupMetadata> parse_group_metadata(std::string_view bytes);

}  // namespace pg
