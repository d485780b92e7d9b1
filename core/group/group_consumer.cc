#include "core/group/group_consumer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/log/log_recovery.h"

namespace pg {
namespace {

// How soon a change of the assignment is noticed, and a partition that its owner lets go.
constexpr Duration kAssignmentPollInterval = std::chrono::milliseconds(50);

std::string name_of(const TopicPartition& partition) {
  return fmt::format("partition {} of '{}'", partition.partition.value, partition.topic);
}

// Where the log left `epoch`; `end` where it has not left it yet. A record at or above was never, or is no longer, in it.
Result<Offset> end_of_epoch(const Env& env, const PartitionLog& log, LeaderEpoch epoch, Offset end) {
  PG_ASSIGN(const EpochHistory history, read_epoch_history(env, log.directory()));
  for (const auto& entry : history) {
    if (entry.epoch > epoch) return std::min(entry.start_offset, end);
  }
  return end;
}

}  // namespace

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::open(Home& home, GroupConsumerOptions options) {
  std::unique_ptr<GroupConsumer> opened(new GroupConsumer(home, std::move(options)));
  GroupConsumerOptions& chosen = opened->options_;
  PG_ASSIGN(opened->membership_, Membership::join(home, chosen.membership, opened->deadline()));
  ConsumerOptions reading{.topics = {}, .follow = chosen.follow, .timeout = chosen.timeout, .skip_damage = chosen.skip_damage};
  PG_ASSIGN(opened->consumer_, Consumer::open(home, std::move(reading)));
  PG_CHECK(opened->follow_assignment());
  return opened;
}

Result<std::optional<FetchedBatch>> GroupConsumer::poll(Deadline deadline) {
  Clock& clock = home_.env().clock;
  for (;;) {
    PG_CHECK(follow_assignment());
    const Deadline soon = std::min(deadline, clock.after(kAssignmentPollInterval));
    PG_ASSIGN(const auto fetched, consumer_->poll(soon));
    if (fetched) return fetched;
    const Deadline now = clock.now();
    if (at_end() || now >= deadline) return std::nullopt;
    if (!awaited_.empty() && !options_.follow && now >= awaited_until_) {
      return fail(Errc::timed_out, fmt::format("{} is still being read by another member of the group", name_of(*awaited_.begin())));
    }
    if (consumer_->at_end()) clock.wait({}, soon - now);  // it does not wait where it has nothing to wait for
  }
}

bool GroupConsumer::at_end() const { return !options_.follow && awaited_.empty() && consumer_->at_end(); }

Result<> GroupConsumer::follow_assignment() {
  if (!options_.membership.looks_by_itself) PG_CHECK(membership_->look());
  PG_ASSIGN(auto view, membership_->view());
  if (!view.is_member) {
    PG_CHECK(forget_everything());
    PG_CHECK(membership_->rejoin(deadline()));
    PG_ASSIGN(view, membership_->view());
  }
  std::set<TopicPartition> assigned;
  for (const auto& [topic, partitions] : view.assignment) {
    for (const PartitionId partition : partitions) assigned.insert({topic, partition});
  }
  for (const auto& partition : std::set<TopicPartition>(owned_)) {
    if (!assigned.contains(partition)) PG_CHECK(give_up(partition));
  }
  std::set<TopicPartition> awaited;
  for (const auto& partition : assigned) {
    if (owned_.contains(partition)) continue;
    PG_ASSIGN(const bool owned, membership_->try_own(partition));
    if (owned) {
      PG_CHECK(start(partition));
    } else {
      awaited.insert(partition);
    }
  }
  if (awaited != awaited_) awaited_until_ = deadline();
  awaited_ = std::move(awaited);
  return {};
}

Result<> GroupConsumer::give_up(const TopicPartition& partition) {
  PG_CHECK(options_.release(partition));
  PG_CHECK(commit());
  consumer_->remove(partition);
  owned_.erase(partition);
  if (options_.commits) positions_.erase(partition);  // the next owner's from now on
  membership_->disown(partition);
  return {};
}

// Whatever was delivered and not committed will be delivered again, perhaps by others, who may own the partitions by now.
Result<> GroupConsumer::forget_everything() {
  home_.env().notice(fmt::format("this member was taken out of group '{}': it joins again", membership_->group()));
  for (const auto& partition : std::set<TopicPartition>(owned_)) {
    PG_CHECK(options_.release(partition));
    consumer_->remove(partition);
    membership_->disown(partition);
  }
  owned_.clear();
  positions_.clear();
  uncommitted_ = false;
  return {};
}

Result<> GroupConsumer::start(const TopicPartition& partition) {
  owned_.insert(partition);
  PG_ASSIGN(const TopicMetadata topic, home_.describe_topic(partition.topic));
  PG_ASSIGN(const Offset from, starting_offset(topic, partition));
  return consumer_->add(topic, partition.partition, from);
}

// Read after the partition is owned: its last owner has committed by then.
Result<Offset> GroupConsumer::starting_offset(const TopicMetadata& topic, const TopicPartition& partition) {
  PG_ASSIGN(const auto log, home_.open_partition(topic, partition.partition, Access::read_write, deadline()));
  PG_ASSIGN(const auto committed, membership_->committed(deadline()));
  const auto found = committed.find(partition);
  if (found == committed.end()) return first_offset(topic, partition, committed);
  const CommittedOffset& last = found->second;
  const auto state = log->current_state();
  const Offset start = state->position().log_start, end = state->high_watermark();
  PG_ASSIGN(const Offset epoch_end, end_of_epoch(home_.env(), *log, last.leader_epoch, end));
  if (last.leader_epoch >= LeaderEpoch(0) && last.offset > epoch_end && epoch_end >= start) {
    home_.env().notice(fmt::format("{} lost records that the group had read: it goes back from {} to {}", name_of(partition),
                                   last.offset.value, epoch_end.value));
    return epoch_end;
  }
  if (last.offset >= start && last.offset <= end) return last.offset;
  const std::string what = fmt::format("the group's offset {} is not in {}, which holds {} to {}", last.offset.value,
                                       name_of(partition), start.value, end.value);
  if (options_.reset == OffsetReset::fail) return fail(Errc::out_of_range, what + "; --reset says where to go on");
  const Offset offset = options_.reset == OffsetReset::earliest ? start : end;
  home_.env().notice(fmt::format("{}: going on at {}", what, offset.value));
  return offset;
}

// Where the group has read nothing of the partition yet. At its first sight of a topic all partitions get a place at one
// moment, whoever reads them and when; it is committed, so that lag is known from the beginning, and so that what
// comes between is not skipped. Partitions that are added later are read whole.
Result<Offset> GroupConsumer::first_offset(const TopicMetadata& topic, const TopicPartition& partition,
                                           const std::map<TopicPartition, CommittedOffset>& committed) {
  if (options_.reset == OffsetReset::fail) {
    return fail(Errc::out_of_range, fmt::format("the group has no offset for {}; --reset says where to begin", name_of(partition)));
  }
  const bool knows_topic = std::any_of(committed.begin(), committed.end(), [&](const auto& entry) { return entry.first.topic == topic.name; });
  const bool at_end = options_.reset == OffsetReset::latest && !knows_topic;
  std::map<TopicPartition, CommittedOffset> first;
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) {
    PG_ASSIGN(const auto log, home_.open_partition(topic, PartitionId(p), Access::read_write, deadline()));
    const auto state = log->current_state();
    first[{topic.name, PartitionId(p)}] = {at_end ? state->high_watermark() : state->position().log_start, LeaderEpoch(-1), "",
                                           home_.env().clock.wall_ms()};
  }
  PG_CHECK(membership_->commit_missing(first, deadline()));
  PG_ASSIGN(const auto now, membership_->committed(deadline()));
  return now.at(partition).offset;
}

void GroupConsumer::delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch) {
  positions_[partition] = {next, epoch, "", home_.env().clock.wall_ms()};
  uncommitted_ = true;
}

Result<> GroupConsumer::commit() {
  if (!uncommitted_ || !options_.commits) return {};
  PG_CHECK(membership_->commit(positions_, deadline()));
  uncommitted_ = false;
  return {};
}

Result<> GroupConsumer::leave() {
  const auto committed = commit();
  const auto left = membership_->leave(deadline());
  PG_CHECK(committed);
  return left;
}

}  // namespace pg
