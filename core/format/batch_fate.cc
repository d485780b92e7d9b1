#include "core/format/batch_fate.h"

#include <algorithm>

namespace pg {

BatchFate fate_of(const WrittenBatch& batch, const EpochHistory& log, Offset log_start, Offset log_end) {
  if (batch.end > log_end) return BatchFate::missing;
  const bool had_epoch =
      std::any_of(log.begin(), log.end(), [&](const EpochStart& entry) { return entry.epoch == batch.epoch; });
  if (had_epoch) return end_of_epoch(log, batch.epoch, log_end) >= batch.end ? BatchFate::there : BatchFate::missing;
  const bool begins_later = !log.empty() && log.front().epoch > batch.epoch && log.front().start_offset >= batch.end;
  return begins_later && log_start > batch.base ? BatchFate::unknown : BatchFate::missing;
}

FoundBatch find_batch(std::span<const WrittenBatch> places, const EpochHistory& log, Offset log_start, Offset log_end) {
  FoundBatch found;
  for (const WrittenBatch& place : places) {
    const BatchFate fate = fate_of(place, log, log_start, log_end);
    if (fate == BatchFate::there) return {fate, place};
    if (fate == BatchFate::unknown) found.fate = fate;
  }
  return found;
}

}  // namespace pg
