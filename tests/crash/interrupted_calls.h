// System calls of this program that are interrupted and come short. Linked in the place of the C library's by the
// linker's --wrap.
#pragma once

#include <cstdint>

namespace pg::crash {

// While it lives, every other call of open, pread, pwrite, ftruncate, fsync, fdatasync and statfs ends with EINTR
// before it has done anything, and those that transfer bytes transfer half of them.
class InterruptedCalls {
 public:
  InterruptedCalls();
  ~InterruptedCalls();
  InterruptedCalls(const InterruptedCalls&) = delete;
  InterruptedCalls& operator=(const InterruptedCalls&) = delete;

  // How many calls of each kind were interrupted.
  struct Counts {
    int64_t open = 0, pread = 0, pwrite = 0, ftruncate = 0, fsync = 0, fdatasync = 0, statfs = 0;
  };
  const Counts& counts() const;
};

}  // namespace pg::crash
