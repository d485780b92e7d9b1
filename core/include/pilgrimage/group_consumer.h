// The reader that is a member of a consumer group.
#pragma once

#include <pilgrimage/consumer.h>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pilgrimage {

// How the members of a group share partitions.
enum class AssignorKind {
  range,        // Kafka's RangeAssignor: of each topic, a run of partitions to each member
  round_robin,  // Kafka's RoundRobinAssignor: the partitions of all topics in turn
  sticky,       // as even as possible, and a member keeps what need not move
};
// Kafka's name of the protocol: "range", "roundrobin", "sticky".
std::string assignor_name(AssignorKind kind);
// The reverse; "round-robin" is allowed, too. Empty for any other name.
std::optional<AssignorKind> parse_assignor(std::string_view name);

// Where a member begins in a partition without a committed offset, or with one that the log no longer has.
enum class OffsetReset { earliest, latest, fail };

struct GroupConsumerOptions {
  std::string group = {};
  std::vector<std::string> topics = {};
  std::optional<AssignorKind> assignor = {};  // empty: as the group does; sticky in a new group
  // How long a member may hang before the others take over its partitions.
  Duration session_timeout = std::chrono::seconds(10);
  OffsetReset reset = OffsetReset::earliest;
  bool follow = false;
  Isolation isolation = Isolation::read_committed;
  Duration timeout = kTimeoutDefault;                          // for a partition that its last owner has not given up
  std::function<void(const SkippedDamage&)> skip_damage = {};  // as in ConsumerOptions
  // Called before a partition is given up: the member finishes its work on records that it got from it.
  std::function<Result<>(const TopicPartition&)> release = [](const TopicPartition&) { return Result<>(); };
  bool commits = true;  // false: delivered offsets are remembered only
};

// How far a partition was delivered.
struct DeliveredOffset {
  TopicPartition partition;
  Offset next;  // behind the last delivered record
  LeaderEpoch leader_epoch{-1};
  std::optional<Offset> from = {};  // the group's committed offset when the reading began
};

// Reads the partitions that the group assigns to this member, from where the group stopped, and commits what was
// delivered:
//
//   poll() → deliver the records → delivered(partition, next, epoch) → … → commit() → … → leave()
//
// The assignment changes within poll() and attend(). Not thread-safe.
class GroupConsumer {
 public:
  virtual ~GroupConsumer() = default;

  // As Consumer::poll. Without `follow` it reads each partition to the end seen when the member got it. Errors besides:
  // timed_out (its last owner has not given up a partition in time), not_found (a topic was deleted), out_of_range
  // (OffsetReset::fail).
  virtual Result<std::optional<ConsumedBatch>> poll(Deadline deadline) = 0;
  // Follows the assignment without reading, for a member that still works on what it has read.
  virtual Result<> attend() = 0;
  // Without `follow`: everything was read, and the member waits for no partition.
  virtual bool at_end() const = 0;

  // The member has delivered every record of the partition below `next`; `epoch` is the leader epoch of the last one.
  virtual void delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch) = 0;
  // Commits what was delivered and is not committed yet; it is on stable storage on return. fenced: the group has
  // removed this member; whichever member has the partition now delivers again what is not committed.
  virtual Result<> commit() = 0;
  // What was delivered of the partitions that this member has or, with `commits` false, has had.
  virtual std::vector<DeliveredOffset> positions() const = 0;

  // Commits, and gives up all partitions.
  virtual Result<> leave() = 0;

  // A descriptor that a child process may inherit: this member's partitions of the topic stay owned while the child
  // runs. Empty: there is none to inherit.
  virtual std::optional<int> ownership_descriptor(const std::string& topic) const = 0;
};

}  // namespace pilgrimage
