// Reads topics as a member of a group: what is assigned to it, from where the group stopped, and commits what was
// delivered.
//
//   poll() → deliver the records → delivered(partition, next) → … → commit() → … → leave()
//
// The assignment changes within poll() and attend(). Before a partition is given up, `release` is called: what was
// handed out of it is then delivered, or never will be by this member; what is delivered is committed. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/client/consumer.h"
#include "core/group/membership.h"

namespace pg {

// Where to start if there is no committed offset, or if the log does not have it.
enum class OffsetReset { earliest, latest, fail };

struct GroupConsumerOptions {
  MembershipOptions membership = {};
  OffsetReset reset = OffsetReset::earliest;
  bool follow = false;
  Isolation isolation = Isolation::read_committed;
  Duration timeout = kTimeoutDefault;
  std::function<void(const SkippedDamage&)> skip_damage = {};
  std::function<Result<>(const TopicPartition&)> release = [](const TopicPartition&) { return Result<>(); };
  bool commits = true;  // false: what was delivered is only remembered
};

class GroupConsumer {
 public:
  // Borrows `home`. Errors: those of Membership::join.
  static Result<std::unique_ptr<GroupConsumer>> open(Home& home, GroupConsumerOptions options);

  // As Consumer::poll. Without `follow` it reads each partition to the end seen when it was got. timed_out: a partition
  // was not let go by its owner in time. not_found: one of the topics was deleted. out_of_range: OffsetReset::fail.
  Result<std::optional<FetchedBatch>> poll(Deadline deadline);
  // Follows the assignment without reading, for a caller that is busy with what it has read.
  Result<> attend();
  // Without `follow`: everything was read, and no partition is waited for.
  bool at_end() const;

  // Every record of the partition below `next` was delivered; `epoch` is the leader epoch of the last one.
  void delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch);
  // What was delivered and is not committed yet is now, on stable storage. fenced: this member was removed from the
  // group; records that are not committed will be delivered again, by the member that has the partition now.
  Result<> commit();
  // What was delivered, whether committed or not: of the partitions that this member has, or, where nothing is
  // committed, has had.
  const std::map<TopicPartition, CommittedOffset>& positions() const { return positions_.by_partition; }
  // What the group had committed for the partition when this member got it.
  Offset begun_at(const TopicPartition& partition) const { return begun_at_.at(partition); }

  // Commits, and gives everything up.
  Result<> leave();

  // See Membership::ownership.
  const LockFile* ownership(const std::string& topic) const { return membership_->ownership(topic); }

 private:
  GroupConsumer(Home& home, GroupConsumerOptions options) : home_(home), options_(std::move(options)) {}
  Result<bool> give_up(const std::set<TopicPartition>& partitions);
  Result<bool> take_over(const std::set<TopicPartition>& partitions);
  Result<> rejoin();
  Result<> look_for_leftovers();
  Result<> start(const std::set<TopicPartition>& partitions);
  Result<> pass_deleted(const Error& error);
  Result<> go_back(const LostRecords& lost);
  Result<Offset> committed_start(const TopicPartition& partition, PartitionLog& log, const CommittedOffset& last,
                                 EpochGuard& epochs);
  Result<Offset> first_offset(const TopicMetadata& topic, const TopicPartition& partition,
                              const CommittedOffsets& committed);
  Deadline deadline() const { return home_.env().clock.after(options_.timeout); }

  Home& home_;
  GroupConsumerOptions options_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<Consumer> consumer_;
  int64_t followed_changes_ = -1;  // of Membership::changes()
  std::set<TopicPartition> owned_;
  std::map<std::string, Uuid> topic_ids_;  // of what is owned

  // Partitions that this member waits for.
  struct Awaited {
    std::set<TopicPartition> partitions;  // assigned, and not yet let go by their last owner
    Deadline since, next_look;
    bool noted = false;
  };
  Awaited awaited_;

  CommittedOffsets positions_;
  std::map<TopicPartition, Offset> begun_at_;  // of all partitions that it has, or has had
  bool uncommitted_ = false;
};

}  // namespace pg
