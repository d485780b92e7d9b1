// One member of a consumer group: joins, is told what it is to read, commits, and looks after the others.
//
// There is no coordinator. Members look at each other (member_slots.h), and whoever notices that one is gone writes the
// next generation; the log decides who was first (group_table.h). A partition is read by one member at a time: its owner
// holds a byte of the topic's lock file in the group, and the next owner waits for it. A member that hangs is killed; one
// that cannot be killed is taken out of the group, and can commit nothing any more.
//
// Thread-safe. A thread of its own beats and looks every kGroupLookInterval.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/group/group_plan.h"
#include "core/group/group_table.h"
#include "core/group/member_slots.h"
#include "core/store/home.h"

namespace pg {

struct MembershipOptions {
  std::string group = {};
  std::vector<std::string> topics = {};
  std::optional<AssignorKind> assignor = {};  // empty: as the group does, sticky if nobody is there
  Duration session_timeout = kSessionTimeoutDefault;
  bool looks_by_itself = true;         // false: there is no thread, look() is called
};

class Membership {
 public:
  // Borrows `home`. Errors: not_found (a topic), invalid_argument (the group's name), conflict (the assignor), limit.
  static Result<std::unique_ptr<Membership>> join(Home& home, MembershipOptions options, Deadline deadline);
  // Without leave() it is as if the process had died.
  ~Membership();

  struct View {
    bool is_member = false;  // false: it was taken out of the group; rejoin(), and forget all positions
    int32_t generation = -1;
    Assignment assignment;
  };
  // As it was last seen. An error is one of the thread's, which has ended.
  Result<View> view() const;
  Result<> rejoin(Deadline deadline);

  // Beats, and looks at the group and at every member once.
  Result<> look();

  // False: another member, or what it left running, still has it. Whatever a dead member left running is killed.
  Result<bool> try_own(const TopicPartition& partition);
  void disown(const TopicPartition& partition);
  // The file whose bytes are the owned partitions of a topic; for a command that is to keep them locked while it runs.
  const LockFile* ownership(const std::string& topic) const;

  // What the group has committed. For all members' partitions, since another may have read them before.
  Result<std::map<TopicPartition, CommittedOffset>> committed(Deadline deadline);
  // On stable storage on return. fenced: this is no member any more, and nothing was committed.
  Result<> commit(const std::map<TopicPartition, CommittedOffset>& offsets, Deadline deadline);
  // Commits, for partitions that have no committed offset, unless somebody was first.
  Result<> commit_missing(const std::map<TopicPartition, CommittedOffset>& offsets, Deadline deadline);

  // Gives all partitions up and lets the others go on at once.
  Result<> leave(Deadline deadline);

  const std::string& group() const { return options_.group; }

 private:
  // For a partition that its last owner has not let go.
  struct Waiting {
    Deadline since, looked_at;
    bool noted = false;
  };
  // How long another member's heartbeat has stood still.
  struct Pulse {
    uint64_t beats = 0;
    Deadline since;
  };

  Membership(Home& home, MembershipOptions options, std::unique_ptr<MemberSlots> slots, GroupTable table)
      : home_(home), options_(std::move(options)), slots_(std::move(slots)), table_(std::move(table)) {}

  Result<> enter(Deadline deadline);
  Result<> look_holding_mutex();
  Result<> change_members(const GroupChange& change, Deadline deadline);
  Result<PartitionCounts> count_partitions(const GroupChange& change) const;
  Result<std::set<std::string>> find_gone();
  Result<bool> is_gone(const GroupMember& member);
  Result<LockFile*> owners(const std::string& topic);
  void note_view();
  Result<> look_for_leftovers(const TopicPartition& partition, const LockFile& file, Waiting& waiting);
  void watch();
  void stop();
  const Group& group_now() const { return table_.group(options_.group); }

  Home& home_;
  const MembershipOptions options_;
  std::unique_ptr<MemberSlots> slots_;

  mutable std::mutex mutex_;  // guards all that follows
  std::string id_;
  GroupTable table_;
  View view_;
  std::optional<Error> error_;
  std::map<std::string, Pulse> pulses_;  // of the other members, by id
  Deadline looked_at_{};
  std::map<std::string, std::unique_ptr<LockFile>> owners_;  // by topic
  std::map<TopicPartition, Waiting> waiting_;

  std::mutex stop_mutex_;  // guards stopping_
  bool stopping_ = false;
  std::condition_variable stopped_;
  std::thread thread_;
};

}  // namespace pg
