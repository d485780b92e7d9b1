// The list of segments, which is the directory itself, and how it changes: segments leave it, and cleaned ones take the
// place of others. (A roll only adds to its end, and is no change in this sense.)
//
// The names and rules are Kafka's:
//
//   .cleaned   is being written; worth nothing
//   .swap      whole and on stable storage: it takes the place of every segment whose offsets it holds
//   .deleted   out of the log already, unlinked later; only people look at it
//
// A process changes the list under lock byte 4, and the page's counter is odd meanwhile. A process that finds the
// counter odd and the lock free finishes the change, since the process that began it has ended; recovery after a
// restart does the same. A reader that opened a file, or found none, believes that only if the counter was even before
// and is the same after.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/log/partition_state.h"
#include "core/os/env.h"

namespace pg {

class SegmentList {
 public:
  // Borrows both.
  SegmentList(const Env& env, PartitionState& state, const std::string& directory)
      : env_(env), state_(state), directory_(directory) {}

  // The counter, once nobody changes the list. busy: a process that changes it has been stopped in the middle.
  Result<uint64_t> settled();
  bool is_still(uint64_t counter) const {
    return state_.page().segment_list.load(std::memory_order_seq_cst) == counter;
  }

  // Keeps the list as it is for as long as the lock is held. An empty lock where this process may not lock.
  Result<HeldLock> keep(Deadline deadline);

  // Lets `alter` change the files of the directory. timed_out: somebody keeps the list as it is.
  Result<> change(Deadline deadline, const std::function<Result<>()>& alter);

 private:
  Result<> finish();

  Env env_;
  PartitionState& state_;
  const std::string& directory_;
};

// What a change consists of; callers hold the lock, or have the partition to themselves.

// Completes every swap that was begun. Nothing to do is no error.
Result<> finish_swaps(FileSystem& files, const std::string& directory);

// Takes the segment out of the list; on a full disk its files may go at once. Durable after sync_directory.
Result<> set_deleted(FileSystem& files, const std::string& directory, Offset base);

// Unlinks what was set deleted before the wall clock showed `before_ms`.
Result<> unlink_deleted(FileSystem& files, const std::string& directory, int64_t before_ms);

}  // namespace pg
