#include "core/group/membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

// A look that takes longer is given up, and what was seen before one that came so late counts no more.
constexpr Duration kLookPatience = 5 * kGroupLookInterval;

}  // namespace

Result<std::unique_ptr<Membership>> Membership::join(Home& home, MembershipOptions options, Deadline deadline) {
  PG_CHECK(names::check_group_name(options.group));
  for (const auto& topic : options.topics) PG_CHECK(home.describe_topic(topic));
  PG_ASSIGN(auto table, GroupTable::open(home, options.group, deadline));
  PG_ASSIGN(auto slots, MemberSlots::open(home.env(), home.path(), options.group));
  PG_CHECK(slots->take());
  std::unique_ptr<Membership> joined(new Membership(home, std::move(options), std::move(slots), std::move(table)));
  PG_CHECK(joined->enter(deadline));
  if (joined->options_.looks_by_itself) joined->thread_ = std::thread([member = joined.get()] { member->watch(); });
  return joined;
}

Membership::~Membership() { stop(); }

void Membership::stop() {
  {
    const std::lock_guard guard(stop_mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// Makes itself a member, under a new id, and takes out whoever is seen to be gone.
Result<> Membership::enter(Deadline deadline) {
  const ProcessIdentity process = home_.env().process_identity();
  id_ = fmt::format("pg-consume-{}-{}", process.pid, uuid_text(home_.env().random.uuid()));
  PG_ASSIGN(auto gone, find_gone());
  GroupMember self;
  self.id = id_;
  self.client_id = fmt::format("pg-consume-{}", process.pid);
  self.session_timeout_ms = static_cast<int32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(options_.session_timeout).count());
  self.topics = options_.topics;
  self.process = {slots_->slot(), process.pid, process.pid_namespace, process.start_time};
  return change_members({std::move(gone), std::move(self), options_.assignor}, deadline);
}

Result<> Membership::rejoin(Deadline deadline) {
  const std::lock_guard guard(mutex_);
  return enter(deadline);
}

Result<Membership::View> Membership::view() const {
  const std::lock_guard guard(mutex_);
  if (error_) return tl::unexpected(*error_);
  return view_;
}

Result<> Membership::change_members(const GroupChange& change, Deadline deadline) {
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    PG_ASSIGN(const PartitionCounts counts, count_partitions(change));
    PG_ASSIGN(const auto next, next_generation(group_now().metadata, change, counts, home_.env().clock.wall_ms()));
    if (!next) return std::vector<TableRow>();
    return std::vector<TableRow>{metadata_row(options_.group, next)};
  };
  PG_CHECK(table_.change(decide, deadline));
  note_view();
  return {};
}

Result<PartitionCounts> Membership::count_partitions(const GroupChange& change) const {
  std::set<std::string> topics;
  if (group_now().metadata) topics = subscribed_topics(*group_now().metadata);
  if (change.joining) topics.insert(change.joining->topics.begin(), change.joining->topics.end());
  PartitionCounts counts;
  for (const auto& name : topics) {
    const auto topic = home_.describe_topic(name);
    if (!topic && topic.error().code == Errc::not_found) continue;
    PG_CHECK(topic);
    counts[name] = static_cast<int32_t>(topic->partitions.size());
  }
  return counts;
}

void Membership::note_view() {
  const GroupMember* self = group_now().member(id_);
  view_.is_member = self != nullptr;
  view_.generation = group_now().metadata ? group_now().metadata->generation : -1;
  view_.assignment = self != nullptr ? self->assignment : Assignment();
}

Result<> Membership::look() {
  (void)slots_->beat();
  const std::lock_guard guard(mutex_);
  return look_holding_mutex();
}

Result<> Membership::look_holding_mutex() {
  const Deadline now = home_.env().clock.now();
  // Who was stopped itself, or the whole machine, has not seen that the others stood still.
  if (now - looked_at_ > kLookPatience) pulses_.clear();
  looked_at_ = now;
  const Deadline deadline = home_.env().clock.after(kLookPatience);
  PG_CHECK(table_.catch_up(deadline));
  note_view();
  if (!view_.is_member) return {};
  PG_ASSIGN(auto gone, find_gone());
  return change_members({std::move(gone), {}, {}}, deadline);
}

Result<std::set<std::string>> Membership::find_gone() {
  std::set<std::string> gone;
  const auto& metadata = group_now().metadata;
  if (!metadata) return gone;
  std::map<std::string, Pulse> pulses;
  std::swap(pulses, pulses_);  // only those of members that are still there are kept
  for (const auto& member : metadata->members) {
    if (member.id == id_ || member.process.slot == slots_->slot()) continue;
    if (const auto known = pulses.find(member.id); known != pulses.end()) pulses_.insert(*known);
    PG_ASSIGN(const bool is_gone, this->is_gone(member));
    if (is_gone) gone.insert(member.id);
  }
  return gone;
}

Result<bool> Membership::is_gone(const GroupMember& member) {
  if (member.process.slot < 0) return true;  // written by something else, which nobody can see live
  PG_ASSIGN(const bool lives, slots_->is_held(member.process.slot));
  if (!lives) return true;
  PG_ASSIGN(const uint64_t beats, slots_->beats(member.process.slot));
  const Deadline now = home_.env().clock.now();
  const auto [pulse, is_new] = pulses_.try_emplace(member.id, Pulse{beats, now});
  if (is_new || pulse->second.beats != beats) {
    pulse->second = {beats, now};
    return false;
  }
  if (now - pulse->second.since < std::chrono::milliseconds(member.session_timeout_ms)) return false;
  // First of all: it may hold a lock that is needed to go on.
  const bool killed = home_.env().kill_process({{member.process.pid, member.process.pid_namespace}, member.process.start_time});
  home_.env().notice(fmt::format("member {} of group '{}' has not moved for {} ms: {}", member.id, options_.group,
                                 member.session_timeout_ms, killed ? "killed" : "its partitions are given to others"));
  return true;
}

// Beats in any case: who waits for a lock does not hang, and must not be killed for it.
void Membership::watch() {
  std::unique_lock guard(stop_mutex_);
  while (!stopped_.wait_for(guard, kGroupLookInterval, [this] { return stopping_; })) {
    (void)slots_->beat();  // a full disk does not stop it: its word has its block
    const std::unique_lock state(mutex_, std::try_to_lock);
    if (!state) continue;
    const auto looked = look_holding_mutex();
    // What may pass is tried again the next time: a full disk, or a lock that somebody holds.
    if (looked || looked.error().code == Errc::no_space || looked.error().code == Errc::timed_out) continue;
    error_ = looked.error();
    return;
  }
}

Result<LockFile*> Membership::owners(const std::string& topic) {
  auto& file = owners_[topic];
  if (!file) {
    const std::string path = names::group_owners_lock(home_.path(), options_.group, topic);
    PG_CHECK(home_.env().files.make_directories(parent_path(path)));
    PG_ASSIGN(file, home_.env().files.open_lock(path, Access::read_write));
  }
  return file.get();
}

Result<bool> Membership::try_own(const TopicPartition& partition) {
  const std::lock_guard guard(mutex_);
  PG_ASSIGN(LockFile* const file, owners(partition.topic));
  PG_ASSIGN(const bool owned, file->try_lock(static_cast<uint32_t>(partition.partition.value), LockMode::exclusive));
  if (owned) {
    waiting_.erase(partition);
    return true;
  }
  const Deadline now = home_.env().clock.now();
  const auto [waiting, is_new] = waiting_.try_emplace(partition, Waiting{now, now});
  if (is_new || now - waiting->second.looked_at >= kGroupLookInterval) {
    waiting->second.looked_at = now;
    PG_CHECK(look_for_leftovers(partition, *file, waiting->second));
  }
  return false;
}

// A command that a dead member left running ends here. An owner that cannot be seen is waited for, however long: two
// at once would be worse.
Result<> Membership::look_for_leftovers(const TopicPartition& partition, const LockFile& file, Waiting& waiting) {
  PG_ASSIGN(const FileInfo owners_file, file.info());
  PG_ASSIGN(const FileInfo members_file, slots_->lock_info());
  const Env& env = home_.env();
  const LockHolders holders = env.kill_lock_holders(owners_file, static_cast<uint32_t>(partition.partition.value), members_file);
  if (holders.killed > 0) {
    env.notice(fmt::format("killed {} processes that a dead member of group '{}' left at work on partition {} of '{}'",
                           holders.killed, options_.group, partition.partition.value, partition.topic));
  }
  if (holders.seen == 0 && !waiting.noted && env.clock.now() - waiting.since > options_.session_timeout) {
    waiting.noted = true;
    env.notice(fmt::format("partition {} of '{}' is still held by a process that cannot be seen: waiting for it",
                           partition.partition.value, partition.topic));
  }
  return {};
}

void Membership::disown(const TopicPartition& partition) {
  const std::lock_guard guard(mutex_);
  if (const auto file = owners_.find(partition.topic); file != owners_.end()) {
    file->second->unlock(static_cast<uint32_t>(partition.partition.value));
  }
}

const LockFile* Membership::ownership(const std::string& topic) const {
  const std::lock_guard guard(mutex_);
  const auto file = owners_.find(topic);
  return file == owners_.end() ? nullptr : file->second.get();
}

Result<std::map<TopicPartition, CommittedOffset>> Membership::committed(Deadline deadline) {
  const std::lock_guard guard(mutex_);
  PG_CHECK(table_.catch_up(deadline));
  return group_now().offsets;
}

Result<> Membership::commit(const std::map<TopicPartition, CommittedOffset>& offsets, Deadline deadline) {
  const std::lock_guard guard(mutex_);
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    if (group_now().member(id_) == nullptr) {
      return fail(Errc::fenced, fmt::format("this process is no member of group '{}' any more: nothing was committed", options_.group));
    }
    std::vector<TableRow> rows;
    for (const auto& [partition, offset] : offsets) {
      const auto stored = group_now().offsets.find(partition);
      if (stored != group_now().offsets.end() && stored->second.offset == offset.offset) continue;
      rows.push_back(offset_row(options_.group, partition, offset));
    }
    return rows;
  };
  return table_.change(decide, deadline);
}

Result<> Membership::commit_missing(const std::map<TopicPartition, CommittedOffset>& offsets, Deadline deadline) {
  const std::lock_guard guard(mutex_);
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    std::vector<TableRow> rows;
    for (const auto& [partition, offset] : offsets) {
      if (!group_now().offsets.contains(partition)) rows.push_back(offset_row(options_.group, partition, offset));
    }
    return rows;
  };
  return table_.change(decide, deadline);
}

Result<> Membership::leave(Deadline deadline) {
  stop();
  const std::lock_guard guard(mutex_);
  owners_.clear();
  if (group_now().member(id_) == nullptr) return {};
  return change_members({{id_}, {}, {}}, deadline);
}

}  // namespace pg
