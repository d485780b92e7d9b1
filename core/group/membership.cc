#include "core/group/membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

// What a look may wait for a lock: it is to come round again before it misses anything.
constexpr Duration kLookTimeout = 2 * kGroupLookInterval;

// Whether the next look may succeed: the disk is full, another process holds a lock or rebuilds a state, or an election
// goes on.
bool may_pass(const Error& error) {
  switch (error.code) {
    case Errc::no_space:
    case Errc::timed_out:
    case Errc::interrupted:
    case Errc::busy:
    case Errc::not_leader:
      return true;
    default:
      return false;
  }
}

}  // namespace

Membership::Membership(Home& home, MembershipOptions options, std::unique_ptr<MemberSlots> slots, GroupTable table)
    : home_(home),
      options_(std::move(options)),
      slots_(std::move(slots)),
      table_(std::move(table)),
      watch_(home.env(), *slots_) {}

Result<std::unique_ptr<Membership>> Membership::join(Home& home, MembershipOptions options, Deadline deadline) {
  PG_CHECK(names::check_group_name(options.group));
  for (const auto& topic : options.topics) PG_CHECK(home.describe_topic(topic));
  PG_ASSIGN(auto table, GroupTable::open(home, options.group, deadline));
  PG_ASSIGN(auto slots, MemberSlots::open(home.env(), home.path(), options.group));
  PG_CHECK(slots->take());
  std::unique_ptr<Membership> joined(new Membership(home, std::move(options), std::move(slots), std::move(table)));
  if (joined->options_.looks_by_itself) {
    // Before anybody can know it.
    PG_ASSIGN(joined->beater_,
              Ticker::start(kGroupLookInterval, [member = joined.get()] { (void)member->slots_->beat(); }));
  }
  PG_CHECK(joined->rejoin(deadline));
  if (joined->options_.looks_by_itself) {
    PG_ASSIGN(joined->watcher_, Ticker::start(kGroupLookInterval, [member = joined.get()] { member->watch(); }));
  }
  return joined;
}

Membership::~Membership() = default;

// Becomes a member under a new id, and removes members that have ended.
Result<> Membership::rejoin(Deadline deadline) {
  {
    // Sees the members at once: a member that only reads to the end and leaves does not look again.
    const std::lock_guard guard(table_mutex_);
    PG_CHECK(table_.catch_up(deadline));
    note_view({});
  }
  PG_ASSIGN(auto gone, find_gone());
  const std::lock_guard guard(table_mutex_);
  const ProcessIdentity process = home_.env().process_identity();
  id_ = fmt::format("pg-consume-{}-{}", process.pid, uuid_text(home_.env().random.uuid()));
  GroupMember self;
  self.id = id_;
  self.client_id = fmt::format("pg-consume-{}", process.pid);
  self.session_timeout_ms =
      static_cast<int32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(options_.session_timeout).count());
  self.topics = options_.topics;
  self.process = {slots_->slot(), process.pid, process.pid_namespace, process.start_time};
  return change_members({std::move(gone), std::move(self), options_.assignor}, deadline);
}

Result<Membership::View> Membership::view() const {
  const std::lock_guard guard(view_mutex_);
  if (error_) return tl::unexpected(*error_);
  return view_;
}

Result<> Membership::look() {
  (void)slots_->beat();
  PG_ASSIGN(auto gone, find_gone());
  const std::lock_guard guard(table_mutex_);
  return take_out(std::move(gone), home_.env().clock.after(kLookTimeout));
}

// The looking itself needs no lock that a hung member could hold; what it finds is written down when the table is free.
void Membership::watch() {
  auto gone = find_gone();
  Result<> looked;
  if (gone) {
    const std::unique_lock free(table_mutex_, std::try_to_lock);
    if (!free) return;
    looked = take_out(std::move(*gone), home_.env().clock.after(kLookTimeout));
  } else {
    looked = tl::unexpected(gone.error());
  }
  if (looked || may_pass(looked.error())) return;
  const std::lock_guard guard(view_mutex_);
  error_ = looked.error();
  changes_.fetch_add(1, std::memory_order_release);
}

// Ids of members that are dead, or hang; the latter are killed first of all, since they may hold a lock that is needed.
Result<std::set<std::string>> Membership::find_gone() {
  std::vector<GroupMember> others;
  {
    const std::lock_guard guard(view_mutex_);
    others = others_;
  }
  const std::lock_guard guard(watch_mutex_);
  PG_ASSIGN(auto sight, watch_.look(others));
  for (const auto& member : sight.hung) {
    if (ended_.insert(member.id).second) end_hung(member);
    sight.dead.insert(member.id);
  }
  return std::move(sight.dead);
}

void Membership::end_hung(const GroupMember& member) const {
  const auto slots = slots_->lock_info();
  const ProcessIdentity process{{member.process.pid, member.process.pid_namespace}, member.process.start_time};
  const bool killed = slots && member.process.slot >= 0 &&
                      home_.env().kill_lock_holder(process, *slots, static_cast<uint32_t>(member.process.slot));
  home_.env().notice(fmt::format("member {} of group '{}' has not moved for {} ms: {}", member.id, options_.group,
                                 member.session_timeout_ms, killed ? "killed" : "its partitions are given to others"));
}

Result<> Membership::take_out(std::set<std::string> gone, Deadline deadline) {
  PG_CHECK(table_.catch_up(deadline));
  if (group_now().member(id_) != nullptr) return change_members({std::move(gone), {}, {}}, deadline);
  note_view({});
  return {};
}

Result<> Membership::change_members(const GroupChange& change, Deadline deadline) {
  PartitionCounts counts;
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    PG_ASSIGN(counts, count_partitions(change));
    PG_ASSIGN(const auto next, next_generation(group_now().metadata, change, counts, home_.env().clock.wall_ms()));
    if (!next) return std::vector<TableRow>();
    return std::vector<TableRow>{metadata_row(options_.group, next)};
  };
  PG_CHECK(table_.change(decide, deadline));
  note_view(counts);
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

void Membership::note_view(const PartitionCounts& counts) {
  View view;
  if (const GroupMember* self = group_now().member(id_); self != nullptr) {
    view.is_member = true;
    view.assignment = self->assignment;
    for (const auto& topic : options_.topics) {
      if (!counts.contains(topic)) view.missing_topic = topic;
    }
  }
  std::vector<GroupMember> others;
  if (group_now().metadata) {
    for (const auto& member : group_now().metadata->members) {
      if (member.id != id_ && member.process.slot != slots_->slot()) others.push_back(member);
    }
  }
  const std::lock_guard guard(view_mutex_);
  others_ = std::move(others);
  if (view == view_) return;
  view_ = std::move(view);
  changes_.fetch_add(1, std::memory_order_release);
}

Result<LockFile*> Membership::owners(const std::string& topic) {
  const std::lock_guard guard(view_mutex_);
  auto& file = owners_[topic];
  if (!file) {
    const std::string path = names::group_owners_lock(home_.path(), options_.group, topic);
    PG_CHECK(home_.env().files.make_directories_in(names::topics_directory(home_.path()), parent_path(path)));
    PG_ASSIGN(file, home_.env().files.open_lock(path, Access::read_write));
  }
  return file.get();
}

Result<bool> Membership::try_own(const TopicPartition& partition) {
  PG_ASSIGN(LockFile* const file, owners(partition.topic));
  return file->try_lock(static_cast<uint32_t>(partition.partition.value), LockMode::exclusive);
}

Result<int> Membership::kill_leftovers(const std::set<TopicPartition>& awaited) {
  std::map<std::string, std::set<uint32_t>> bytes;
  for (const auto& partition : awaited) bytes[partition.topic].insert(static_cast<uint32_t>(partition.partition.value));
  PG_ASSIGN(const FileInfo members_file, slots_->lock_info());
  int seen = 0;
  for (const auto& [topic, wanted] : bytes) {
    PG_ASSIGN(LockFile* const file, owners(topic));
    PG_ASSIGN(const FileInfo owners_file, file->info());
    const LockHolders holders = home_.env().kill_lock_holders(owners_file, wanted, members_file);
    seen += holders.seen;
    if (holders.killed == 0) continue;
    home_.env().notice(fmt::format("killed {} processes that an ended member of group '{}' left at work on '{}'",
                                   holders.killed, options_.group, topic));
  }
  return seen;
}

void Membership::disown(const TopicPartition& partition) {
  const std::lock_guard guard(view_mutex_);
  if (const auto file = owners_.find(partition.topic); file != owners_.end()) {
    file->second->unlock(static_cast<uint32_t>(partition.partition.value));
  }
}

const LockFile* Membership::ownership(const std::string& topic) const {
  const std::lock_guard guard(view_mutex_);
  const auto file = owners_.find(topic);
  return file == owners_.end() ? nullptr : file->second.get();
}

Result<CommittedOffsets> Membership::committed(Deadline deadline) {
  const std::lock_guard guard(table_mutex_);
  PG_CHECK(table_.catch_up(deadline));
  PG_CHECK(check_member());
  return group_now().offsets;
}

Result<> Membership::check_member() const {
  if (group_now().member(id_) != nullptr) return {};
  return fail(Errc::fenced, fmt::format("this process is not a member of group '{}' any more: nothing was committed",
                                        options_.group));
}

Result<> Membership::commit(const CommittedOffsets& offsets, Deadline deadline) {
  return write_offsets(offsets, deadline, [](const CommittedOffset* stored, const CommittedOffset& offset) {
    // With another epoch the same offset may mean another record.
    return stored == nullptr || stored->offset != offset.offset || stored->leader_epoch != offset.leader_epoch;
  });
}

Result<> Membership::commit_missing(const CommittedOffsets& offsets, Deadline deadline) {
  return write_offsets(offsets, deadline,
                       [](const CommittedOffset* stored, const CommittedOffset&) { return stored == nullptr; });
}

Result<> Membership::write_offsets(const CommittedOffsets& offsets, Deadline deadline, const IsWanted& is_wanted) {
  const std::lock_guard guard(table_mutex_);
  const auto decide = [&]() -> Result<std::vector<TableRow>> {
    PG_CHECK(check_member());
    std::vector<TableRow> rows;
    for (const auto& [partition, offset] : offsets.by_partition) {
      const auto topic_id = parse_uuid(offset.metadata);
      PG_ASSERT(topic_id);
      if (is_wanted(group_now().offsets.of(partition, *topic_id), offset))
        rows.push_back(offset_row(options_.group, partition, offset));
    }
    return rows;
  };
  PG_CHECK(table_.change(decide, deadline));
  return table_.flush(deadline);
}

// It beats until it is out: whatever it has to wait for, the others see it live.
Result<> Membership::leave(Deadline deadline) {
  watcher_.reset();
  {
    const std::lock_guard guard(view_mutex_);
    owners_.clear();
  }
  const std::lock_guard guard(table_mutex_);
  if (group_now().member(id_) == nullptr) return {};
  return change_members({{id_}, {}, {}}, deadline);
}

}  // namespace pg
