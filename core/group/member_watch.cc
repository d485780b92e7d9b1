#include "core/group/member_watch.h"

#include "core/base/limits.h"

namespace pg {
namespace {

// Between two looks; more than this was no looking.
constexpr Duration kAttentionMax = 5 * kGroupLookInterval;

}  // namespace

Result<MemberWatch::Sight> MemberWatch::look(const std::vector<GroupMember>& others) {
  const Deadline now = env_.clock.now();
  if (now - looked_at_ > kAttentionMax) pulses_.clear();
  looked_at_ = now;
  std::map<std::string, Pulse> known;
  std::swap(known, pulses_);  // only those of members that are still there are kept
  Sight sight;
  for (const auto& member : others) {
    if (const auto pulse = known.find(member.id); pulse != known.end()) pulses_.insert(*pulse);
    // Something else has written it, which nobody can see live; or its slot is free.
    PG_ASSIGN(const bool lives, member.process.slot < 0 ? Result<bool>(false) : slots_.is_held(member.process.slot));
    if (!lives) {
      sight.dead.insert(member.id);
      continue;
    }
    PG_ASSIGN(const uint64_t beats, slots_.beats(member.process.slot));
    if (hangs(member, beats, now)) sight.hung.push_back(member);
  }
  return sight;
}

bool MemberWatch::hangs(const GroupMember& member, uint64_t beats, Deadline now) {
  const auto [pulse, is_new] = pulses_.try_emplace(member.id, Pulse{beats, now});
  if (is_new || pulse->second.beats != beats) {
    pulse->second = {beats, now};
    return false;
  }
  return now - pulse->second.since >= std::chrono::milliseconds(member.session_timeout_ms);
}

}  // namespace pg
