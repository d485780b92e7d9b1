// Shows each member of a group which others run, without any of them having to answer.
//
// Each member holds a byte of the group's members.lock, its slot, which the kernel frees when the member ends. While it
// runs, it counts up its word in the file of heartbeats; the word stands still when the member hangs. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/format/group_record.h"
#include "core/os/env.h"

namespace pg {

class MemberSlots {
 public:
  static Result<std::unique_ptr<MemberSlots>> open(const Env& env, const std::string& home, const std::string& group);

  // Takes the first free slot, for as long as this object lives.
  Result<> take();
  int32_t slot() const { return slot_; }

  Result<> beat();
  Result<uint64_t> beats(int32_t slot) const;
  // Whether another member holds the slot.
  Result<bool> is_held(int32_t slot) const { return lock_->is_held(static_cast<uint32_t>(slot)); }
  Result<FileInfo> lock_info() const { return lock_->info(); }

 private:
  MemberSlots() = default;

  std::unique_ptr<LockFile> lock_;
  std::unique_ptr<File> heartbeats_;
  int32_t slot_ = -1;
  std::atomic<uint64_t> beats_ = 0;
};

// Those of `members` that run. The caller need not be a member, nor be allowed to write.
Result<std::vector<GroupMember>> living(const Env& env, const std::string& home, const std::string& group,
                                        const std::vector<GroupMember>& members);

}  // namespace pg
