// Which of the other members have ended or hang, as one member sees them. Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/format/group_record.h"
#include "core/group/member_slots.h"

namespace pg {

class MemberWatch {
 public:
  // Borrows `slots`.
  MemberWatch(const Env& env, const MemberSlots& slots) : env_(env), slots_(slots) {}

  // What one look has found.
  struct Sight {
    std::set<std::string> dead;  // ids
    std::vector<GroupMember> hung;
  };
  // A member hangs if its heartbeat stands still for its session timeout while the caller looked all the time. A caller
  // that was stopped itself, alone or with the whole machine, starts over.
  Result<Sight> look(const std::vector<GroupMember>& others);

 private:
  // The heartbeat of a member, and since when it has stood at that count.
  struct Pulse {
    uint64_t beats = 0;
    Deadline since;
  };
  bool hangs(const GroupMember& member, uint64_t beats, Deadline now);

  Env env_;
  const MemberSlots& slots_;
  std::map<std::string, Pulse> pulses_;  // by id
  Deadline looked_at_{};
};

}  // namespace pg
