#include "core/cluster/epoch_cut.h"

#include <algorithm>

namespace pg {
namespace {

// Where the records of entry `i` end.
Offset end_of(const EpochLog& log, size_t i) {
  return i + 1 < log.epochs.size() ? std::min(log.epochs[i + 1].start_offset, log.log_end) : log.log_end;
}

}  // namespace

Offset common_end(const EpochLog& mine, const EpochLog& leaders, Offset first) {
  size_t m = mine.epochs.size(), l = leaders.epochs.size();
  while (m > 0 && l > 0) {
    const LeaderEpoch my_epoch = mine.epochs[m - 1].epoch, leader_epoch = leaders.epochs[l - 1].epoch;
    if (my_epoch == leader_epoch) return std::min(end_of(mine, m - 1), end_of(leaders, l - 1));
    (my_epoch > leader_epoch ? m : l) -= 1;
  }
  return std::min(first, mine.log_end);
}

bool have_common_epoch(const EpochHistory& mine, const EpochHistory& leaders) {
  return std::any_of(mine.begin(), mine.end(), [&](const EpochStart& entry) {
    return std::any_of(leaders.begin(), leaders.end(),
                       [&](const EpochStart& other) { return other.epoch == entry.epoch; });
  });
}

}  // namespace pg
