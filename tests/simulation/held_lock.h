// What SimReplica keeps while it writes.
#pragma once

#include "tests/simulation/sim_replica.h"

namespace pg::sim {

// Free again when its holder goes on, and when it is killed.
class SimReplica::HeldLock {
 public:
  HeldLock() = default;
  HeldLock(std::shared_ptr<ReplicaFiles> files, Lock& lock, const void* holder)
      : files_(std::move(files)), lock_(&lock) {
    lock.holder = holder;
  }
  HeldLock(HeldLock&& other) noexcept : files_(std::move(other.files_)), lock_(std::exchange(other.lock_, nullptr)) {}
  HeldLock& operator=(HeldLock&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(lock_, other.lock_);
    return *this;
  }
  ~HeldLock() {
    if (lock_ != nullptr) lock_->holder = nullptr;
  }

 private:
  std::shared_ptr<ReplicaFiles> files_;
  Lock* lock_ = nullptr;
};

struct SimReplica::Writing {
  HeldLock lock;
  LogPosition position;
};

}  // namespace pg::sim
