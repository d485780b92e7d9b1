// One member of a consumer group: it joins, learns its assignment, commits, and watches the other members.
//
// There is no coordinator. Members watch each other (member_watch.h). A member that notices that another one is gone
// writes the next generation; the log decides which of several writers was first (group_table.h). A partition is read
// by one member at a time: its owner holds a byte of the topic's lock file in the group, and the next owner waits for
// it. A member that hangs is killed if it belongs to this user and is seen to hold its slot. Otherwise it is removed
// from the group, and can commit nothing any more.
//
// Thread-safe. One thread beats and does nothing else; another one looks every kGroupLookInterval.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/group/group_plan.h"
#include "core/group/group_table.h"
#include "core/group/member_slots.h"
#include "core/group/member_watch.h"
#include "core/group/ticker.h"
#include "core/store/home.h"

namespace pg {

struct MembershipOptions {
  std::string group = {};
  std::vector<std::string> topics = {};
  std::optional<AssignorKind> assignor = {};  // empty: as the group does, sticky if nobody is there
  Duration session_timeout = kSessionTimeoutDefault;
  bool looks_by_itself = true;  // false: there are no threads, look() is called
};

class Membership {
 public:
  // Borrows `home`. Errors: not_found (a topic), invalid_argument (the group's name), conflict (the assignor), limit.
  static Result<std::unique_ptr<Membership>> join(Home& home, MembershipOptions options, Deadline deadline);
  // Without leave() it is as if the process had died.
  ~Membership();

  // The group as this member has seen it last.
  struct View {
    bool is_member = false;  // false: it was taken out of the group; rejoin(), and forget all positions
    Assignment assignment;
    std::string missing_topic;  // one of its topics that was deleted, or empty
    bool operator==(const View&) const = default;
  };
  // As it was last seen. An error is one of the looking thread's, which has given up. Waits for nothing.
  Result<View> view() const;
  // How often the view has changed.
  int64_t changes() const { return changes_.load(std::memory_order_acquire); }
  Result<> rejoin(Deadline deadline);

  // Beats, and looks at the group and at every member once.
  Result<> look();

  // False: another member, or what it left running, still has it.
  Result<bool> try_own(const TopicPartition& partition);
  void disown(const TopicPartition& partition);
  // Kills commands that ended members left running on awaited partitions. Returns how many processes were seen to own
  // one.
  Result<int> kill_leftovers(const std::set<TopicPartition>& awaited);
  // The file whose bytes are the owned partitions of a topic; for a command that is to keep them locked while it runs.
  const LockFile* ownership(const std::string& topic) const;

  // What the group has committed, as of now. fenced: this process is not a member any more.
  Result<CommittedOffsets> committed(Deadline deadline);
  // On stable storage on return. fenced: this process is not a member any more, and nothing was committed.
  Result<> commit(const CommittedOffsets& offsets, Deadline deadline);
  // Commits for those partitions that have no committed offset, unless another process has committed meanwhile. fenced,
  // as above.
  Result<> commit_missing(const CommittedOffsets& offsets, Deadline deadline);

  // Gives all partitions up and lets the others go on at once.
  Result<> leave(Deadline deadline);

  const std::string& group() const { return options_.group; }

 private:
  Membership(Home& home, MembershipOptions options, std::unique_ptr<MemberSlots> slots, GroupTable table);

  Result<std::set<std::string>> find_gone();
  void end_hung(const GroupMember& member) const;
  Result<> take_out(std::set<std::string> gone, Deadline deadline);
  Result<> change_members(const GroupChange& change, Deadline deadline);
  Result<PartitionCounts> count_partitions(const GroupChange& change) const;
  void note_view(const PartitionCounts& counts);
  void watch();
  // Whether the row is to be written; `stored` is null where there is none.
  using IsWanted = std::function<bool(const CommittedOffset* stored, const CommittedOffset& offset)>;
  Result<> write_offsets(const CommittedOffsets& offsets, Deadline deadline, const IsWanted& is_wanted);
  Result<LockFile*> owners(const std::string& topic);
  Result<> check_member() const;
  const Group& group_now() const { return table_.group(options_.group); }

  Home& home_;
  const MembershipOptions options_;
  std::unique_ptr<MemberSlots> slots_;

  std::mutex table_mutex_;  // guards the next two; held while the table is read and written
  GroupTable table_;
  std::string id_;

  std::mutex watch_mutex_;  // guards the next two
  MemberWatch watch_;
  std::set<std::string> ended_;  // members that were killed for hanging, or could not be

  mutable std::mutex view_mutex_;  // guards the next four; held for a moment only, taken last
  View view_;
  std::vector<GroupMember> others_;
  std::optional<Error> error_;
  std::map<std::string, std::unique_ptr<LockFile>> owners_;  // by topic; files stay once they are there
  std::atomic<int64_t> changes_ = 0;

  std::unique_ptr<Ticker> beater_, watcher_;
};

}  // namespace pg
