#include "core/format/epoch_trail.h"

#include <algorithm>

namespace pg {
namespace {

// Whether the log had records of `epoch`, or cannot tell because it begins with a later epoch.
bool may_have_had(const EpochHistory& log, LeaderEpoch epoch) {
  return log.front().epoch > epoch ||
         std::any_of(log.begin(), log.end(), [&](const EpochStart& entry) { return entry.epoch == epoch; });
}

}  // namespace

Offset EpochTrail::shared_end(const EpochHistory& log, Offset log_end, Offset next) const {
  if (log.empty()) return next;
  if (read_.empty()) return begun_ < LeaderEpoch(0) ? next : std::min(next, end_of_epoch(log, begun_, log_end));
  Offset end = next;
  for (auto part = read_.rbegin(); part != read_.rend(); ++part) {
    end = std::min(end, end_of_epoch(log, part->epoch, log_end));
    if (may_have_had(log, part->epoch)) break;
    end = std::min(end, part->start_offset);
  }
  return end;
}

}  // namespace pg
