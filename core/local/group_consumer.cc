#include "core/local/group_consumer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/log/epoch_guard.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// How soon a change of the assignment is noticed, and a partition that its owner lets go.
constexpr Duration kAssignmentPollInterval = std::chrono::milliseconds(50);

// Finding the process that still has a partition goes through all processes.
constexpr Duration kLeftoverLookInterval = 5 * kGroupLookInterval;

std::string name_of(const TopicPartition& partition) {
  return fmt::format("partition {} of '{}'", partition.partition.value, partition.topic);
}

std::set<TopicPartition> partitions_of(const Assignment& assignment) {
  std::set<TopicPartition> found;
  for (const auto& [topic, partitions] : assignment) {
    for (const PartitionId partition : partitions) found.insert({topic, partition});
  }
  return found;
}

std::set<TopicPartition> difference(const std::set<TopicPartition>& from, const std::set<TopicPartition>& without) {
  std::set<TopicPartition> left;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(), std::inserter(left, left.end()));
  return left;
}

}  // namespace

Result<std::unique_ptr<LocalGroupConsumer>> LocalGroupConsumer::open(Home& home, GroupConsumerOptions options,
                                                                     Looking looking) {
  std::unique_ptr<LocalGroupConsumer> opened(new LocalGroupConsumer(home, std::move(options), looking));
  const GroupConsumerOptions& chosen = opened->options_;
  PG_ASSIGN(opened->membership_, Membership::join(home,
                                                  {.group = chosen.group,
                                                   .topics = chosen.topics,
                                                   .assignor = chosen.assignor,
                                                   .session_timeout = chosen.session_timeout,
                                                   .looks_by_itself = looking == Looking::by_itself},
                                                  opened->deadline()));
  ConsumerOptions reading{.topics = {},
                          .follow = chosen.follow,
                          .isolation = chosen.isolation,
                          .timeout = chosen.timeout,
                          .skip_damage = chosen.skip_damage};
  reading.on_lost = [member = opened.get()](const LostRecords& lost) { return member->go_back(lost); };
  PG_ASSIGN(opened->consumer_, LocalConsumer::open(home, std::move(reading)));
  PG_CHECK(opened->attend());
  return opened;
}

Result<std::optional<ConsumedBatch>> LocalGroupConsumer::poll(Deadline deadline) {
  Clock& clock = home_.env().clock;
  for (;;) {
    PG_CHECK(attend());
    const Deadline soon = std::min(deadline, clock.after(kAssignmentPollInterval));
    const auto fetched = consumer_->poll(soon);
    if (!fetched && fetched.error().code == Errc::out_of_range) {
      PG_CHECK(pass_deleted(fetched.error()));
      continue;
    }
    if (!fetched || *fetched) return fetched;
    const Deadline now = clock.now();
    if (at_end() || now >= deadline) return std::nullopt;
    if (!awaited_.partitions.empty() && !options_.follow && now - awaited_.since >= options_.timeout) {
      return fail(Errc::timed_out, fmt::format("{} is still being read by another member of the group",
                                               name_of(*awaited_.partitions.begin())));
    }
    if (consumer_->at_end()) clock.wait({}, soon - now);  // it does not wait where it has nothing to wait for
  }
}

bool LocalGroupConsumer::at_end() const {
  return !options_.follow && awaited_.partitions.empty() && consumer_->at_end();
}

Result<> LocalGroupConsumer::attend() {
  if (looking_ == Looking::in_calls) PG_CHECK(membership_->look());
  for (;;) {
    const int64_t changes = membership_->changes();
    if (changes == followed_changes_ && awaited_.partitions.empty()) return {};
    PG_ASSIGN(const auto view, membership_->view());
    if (!view.missing_topic.empty())
      return fail(Errc::not_found, fmt::format("topic '{}' was deleted", view.missing_topic));
    const auto assigned = partitions_of(view.assignment);
    PG_ASSIGN(bool is_member, view.is_member ? give_up(difference(owned_, assigned)) : Result<bool>(false));
    if (is_member) {
      PG_ASSIGN(is_member, take_over(difference(assigned, owned_)));
    }
    if (is_member) {
      followed_changes_ = changes;
      return look_for_leftovers();
    }
    PG_CHECK(rejoin());
  }
}

// False: this process is not a member any more.
Result<bool> LocalGroupConsumer::give_up(const std::set<TopicPartition>& partitions) {
  if (partitions.empty()) return true;
  for (const auto& partition : partitions) PG_CHECK(options_.release(partition));
  const auto committed = commit();
  if (!committed && committed.error().code == Errc::fenced) return false;
  PG_CHECK(committed);
  for (const auto& partition : partitions) {
    consumer_->remove(partition);
    owned_.erase(partition);
    if (options_.commits) positions_.by_partition.erase(partition);  // the next owner's from now on
    membership_->disown(partition);
  }
  return true;
}

// Records that were delivered and not committed will be delivered again, perhaps by other members, which may own the
// partitions by now.
Result<> LocalGroupConsumer::rejoin() {
  home_.env().notice(fmt::format("this member was taken out of group '{}': it joins again", membership_->group()));
  for (const auto& partition : owned_) {
    PG_CHECK(options_.release(partition));
    consumer_->remove(partition);
    membership_->disown(partition);
  }
  owned_.clear();
  if (options_.commits) positions_.by_partition.clear();
  uncommitted_ = false;
  return membership_->rejoin(deadline());
}

// False: this process is not a member any more. It reads nothing then: those records would come again once it has
// joined again.
Result<bool> LocalGroupConsumer::take_over(const std::set<TopicPartition>& partitions) {
  std::set<TopicPartition> got, awaited;
  for (const auto& partition : partitions) {
    PG_ASSIGN(const bool owned, membership_->try_own(partition));
    (owned ? got : awaited).insert(partition);
  }
  if (awaited != awaited_.partitions) {
    const Deadline now = home_.env().clock.now();
    awaited_ = {std::move(awaited), now, now + kGroupLookInterval};
  }
  if (got.empty()) return true;
  owned_.insert(got.begin(), got.end());
  const auto started = start(got);
  if (!started && started.error().code == Errc::fenced) return false;
  PG_CHECK(started);
  return true;
}

// A command that an ended member left running is killed here. An owner that cannot be seen is waited for, however long:
// two at once would be worse.
Result<> LocalGroupConsumer::look_for_leftovers() {
  const Deadline now = home_.env().clock.now();
  if (awaited_.partitions.empty() || now < awaited_.next_look) return {};
  PG_ASSIGN(const int seen, membership_->kill_leftovers(awaited_.partitions));
  awaited_.next_look = home_.env().clock.after(kLeftoverLookInterval);
  if (seen > 0 || awaited_.noted || now - awaited_.since < options_.session_timeout) return {};
  awaited_.noted = true;
  home_.env().notice(
      fmt::format("{} is still held by a process that cannot be seen, or that belongs to another user: waiting for it",
                  name_of(*awaited_.partitions.begin())));
  return {};
}

// After the partitions are owned: their last owners have committed by then.
Result<> LocalGroupConsumer::start(const std::set<TopicPartition>& partitions) {
  PG_ASSIGN(auto committed, membership_->committed(deadline()));
  std::map<std::string, TopicMetadata> topics;
  for (const auto& partition : partitions) {
    if (!topics.contains(partition.topic)) {
      PG_ASSIGN(topics[partition.topic], home_.describe_topic(partition.topic));
    }
    const TopicMetadata& topic = topics[partition.topic];
    topic_ids_[topic.name] = topic.id;
    PG_ASSIGN(auto log, open_committed(home_, topic, partition.partition, deadline()));
    if (committed.of(partition, topic.id) == nullptr) {
      PG_ASSIGN(const Offset first, first_offset(topic, partition, committed));
      begun_at_[partition] = first;
      consumer_->add(partition, std::move(log), first);
      PG_ASSIGN(committed, membership_->committed(deadline()));
    } else {
      EpochGuard epochs;
      const CommittedOffset& last = *committed.of(partition, topic.id);
      begun_at_[partition] = last.offset;
      PG_ASSIGN(const Offset from, committed_start(partition, *log, last, epochs));
      consumer_->add(partition, std::move(log), from, std::move(epochs));
    }
  }
  return {};
}

// Retention or a trim was faster than this reader: it goes on where a group would begin. `error` says so of one
// partition.
Result<> LocalGroupConsumer::pass_deleted(const Error& error) {
  if (options_.reset == OffsetReset::fail) return tl::unexpected(error);
  bool passed = false;
  for (const auto& partition : owned_) {
    PG_ASSIGN(const TopicMetadata topic, home_.describe_topic(partition.topic));
    PG_ASSIGN(auto log, open_committed(home_, topic, partition.partition, deadline()));
    const auto state = log->current_state();
    const Offset start = state->position().log_start;
    const auto next = consumer_->next_offset(partition);
    if (!next || *next >= start) continue;
    PG_ASSIGN(const Offset offset,
              options_.reset == OffsetReset::earliest ? start : readable_end(*log, options_.isolation));
    home_.env().notice(fmt::format("offset {} of {} was deleted before it was read: going on at {}", next->value,
                                   name_of(partition), offset.value));
    consumer_->remove(partition);
    consumer_->add(partition, std::move(log), offset);
    passed = true;
  }
  return passed ? Result<>() : tl::unexpected(error);
}

// The log has lost records that this member has read. Those that it has delivered no longer count.
Result<> LocalGroupConsumer::go_back(const LostRecords& lost) {
  PG_CHECK(options_.release(lost.partition));
  const auto position = positions_.by_partition.find(lost.partition);
  if (position == positions_.by_partition.end() || position->second.offset <= lost.from) return {};
  delivered(lost.partition, lost.next, lost.next_epoch);
  return {};
}

// Where the group goes on.
Result<Offset> LocalGroupConsumer::committed_start(const TopicPartition& partition, PartitionLog& log,
                                                   const CommittedOffset& last, EpochGuard& epochs) {
  const auto state = log.current_state();
  // Up to the log's end, since a new leader will commit the records above its high watermark.
  const LogPosition position = state->position();
  const Offset start = position.log_start, end = std::max(position.log_end, state->high_watermark());
  epochs = EpochGuard(last.leader_epoch);
  PG_ASSIGN(const Offset shared, epochs.compare(log, last.offset));
  if (shared < last.offset) {
    const Offset back = std::max(shared, start);
    home_.env().notice(fmt::format("{} lost records that the group had read: it goes back from {} to {}",
                                   name_of(partition), last.offset.value, back.value));
    return back;
  }
  if (last.offset >= start && last.offset <= end) return last.offset;
  const std::string what = fmt::format("the group's offset {} is not in {}, which holds {} to {}", last.offset.value,
                                       name_of(partition), start.value, end.value);
  if (options_.reset == OffsetReset::fail) return fail(Errc::out_of_range, what + "; --reset says where to go on");
  PG_ASSIGN(const Offset offset,
            options_.reset == OffsetReset::earliest ? start : readable_end(log, options_.isolation));
  home_.env().notice(fmt::format("{}: going on at {}", what, offset.value));
  epochs.begin(log);
  return offset;
}

// Where the group has read nothing of the partition yet. When the group sees a topic for the first time, all
// partitions get a place at one moment, whichever members read them later. The place is committed, so that the lag is
// known from the beginning and no record is skipped that comes in between. Partitions that are added later are read
// whole.
Result<Offset> LocalGroupConsumer::first_offset(const TopicMetadata& topic, const TopicPartition& partition,
                                                const CommittedOffsets& committed) {
  if (options_.reset == OffsetReset::fail) {
    return fail(Errc::out_of_range,
                fmt::format("the group has no offset for {}; --reset says where to begin", name_of(partition)));
  }
  const auto knows = [&](size_t p) {
    return committed.of({topic.name, PartitionId(static_cast<int32_t>(p))}, topic.id) != nullptr;
  };
  bool at_end = options_.reset == OffsetReset::latest;
  for (size_t p = 0; p < topic.partitions.size(); ++p) at_end = at_end && !knows(p);
  CommittedOffsets first;
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) {
    PG_ASSIGN(const auto log, open_committed(home_, topic, PartitionId(p), deadline()));
    const auto state = log->current_state();
    PG_ASSIGN(const Offset place, at_end ? readable_end(*log, options_.isolation) : state->position().log_start);
    first.by_partition[{topic.name, PartitionId(p)}] =
        committed_offset(home_.env(), place, state->leader_epoch(), topic.id);
  }
  PG_CHECK(membership_->commit_missing(first, deadline()));
  PG_ASSIGN(const auto now, membership_->committed(deadline()));
  const CommittedOffset* found = now.of(partition, topic.id);
  if (found == nullptr)
    return fail(Errc::conflict, fmt::format("the group's offset for {} was deleted meanwhile", name_of(partition)));
  return found->offset;
}

void LocalGroupConsumer::delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch) {
  positions_.by_partition[partition] = committed_offset(home_.env(), next, epoch, topic_ids_[partition.topic]);
  uncommitted_ = true;
}

Result<> LocalGroupConsumer::commit() {
  if (!uncommitted_ || !options_.commits) return {};
  PG_CHECK(membership_->commit(positions_, deadline()));
  uncommitted_ = false;
  return {};
}

std::vector<DeliveredOffset> LocalGroupConsumer::positions() const {
  std::vector<DeliveredOffset> delivered;
  for (const auto& [partition, committed] : positions_.by_partition) {
    delivered.push_back({partition, committed.offset, committed.leader_epoch, begun_at_.at(partition)});
  }
  return delivered;
}

std::optional<int> LocalGroupConsumer::ownership_descriptor(const std::string& topic) const {
  const LockFile* owners = membership_->ownership(topic);
  return owners == nullptr ? std::nullopt : std::optional(owners->descriptor());
}

Result<> LocalGroupConsumer::leave() {
  auto committed = commit();
  if (!committed)
    committed.error().what =
        "what was delivered last is not committed, and will be delivered again: " + committed.error().what;
  const auto left = membership_->leave(deadline());
  PG_CHECK(committed);
  return left;
}

}  // namespace pg
