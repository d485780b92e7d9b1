#include "core/group/member_slots.h"

#include <fmt/format.h>

#include <array>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

constexpr size_t kWordBytes = 8;

}  // namespace

Result<std::unique_ptr<MemberSlots>> MemberSlots::open(const Env& env, const std::string& home,
                                                       const std::string& group) {
  PG_CHECK(env.files.make_directories_in(names::topics_directory(home), names::group_directory(home, group)));
  std::unique_ptr<MemberSlots> slots(new MemberSlots());
  PG_ASSIGN(slots->lock_, env.files.open_lock(names::group_members_lock(home, group), Access::read_write));
  PG_ASSIGN(slots->heartbeats_, env.files.open(names::group_heartbeats(home, group), OpenMode::create));
  // The next member in a slot goes on from another number, so that it is not taken for a hung predecessor.
  slots->beats_ = env.random.next() >> 1;
  return slots;
}

Result<> MemberSlots::take() {
  for (int32_t slot = 0; slot < kGroupMembersMax; ++slot) {
    PG_ASSIGN(const bool taken, lock_->try_lock(static_cast<uint32_t>(slot), LockMode::exclusive));
    if (!taken) continue;
    slot_ = slot;
    return beat();
  }
  return fail(Errc::limit, fmt::format("a group has at most {} members", kGroupMembersMax), lock_->path());
}

Result<> MemberSlots::beat() {
  std::array<std::byte, kWordBytes> word;
  store_big_endian(word.data(), ++beats_);
  return heartbeats_->write_at(static_cast<uint64_t>(slot_) * kWordBytes, word);
}

Result<uint64_t> MemberSlots::beats(int32_t slot) const {
  std::array<std::byte, kWordBytes> word{};
  PG_CHECK(heartbeats_->read_at(static_cast<uint64_t>(slot) * kWordBytes, word));
  return load_big_endian<uint64_t>(word.data());
}

Result<std::vector<GroupMember>> living(const Env& env, const std::string& home, const std::string& group,
                                        const std::vector<GroupMember>& members) {
  std::vector<GroupMember> found;
  if (members.empty()) return found;
  const auto lock = env.files.open_lock(names::group_members_lock(home, group), Access::read_only);
  if (!lock && lock.error().code == Errc::not_found) return found;
  PG_CHECK(lock);
  for (const auto& member : members) {
    if (member.process.slot < 0) continue;
    PG_ASSIGN(const bool held, (*lock)->is_held(static_cast<uint32_t>(member.process.slot)));
    if (held) found.push_back(member);
  }
  return found;
}

}  // namespace pg
