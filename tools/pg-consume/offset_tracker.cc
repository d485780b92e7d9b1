#include "tools/pg-consume/offset_tracker.h"

#include <algorithm>

#include "core/base/result.h"

namespace pg {

void OffsetTracker::deliver(Offset offset, LeaderEpoch epoch) {
  PG_ASSERT(open_.empty() || open_.back().offset < offset);
  PG_ASSERT(!last_done_ || last_done_->offset < offset);
  open_.push_back({offset, epoch});
}

void OffsetTracker::finish(Offset offset) {
  const auto found = std::lower_bound(open_.begin(), open_.end(), offset,
                                      [](const Delivered& record, Offset wanted) { return record.offset < wanted; });
  PG_ASSERT(found != open_.end() && found->offset == offset && !found->finished);
  found->finished = true;
  while (!open_.empty() && open_.front().finished) {
    last_done_ = open_.front();
    open_.pop_front();
  }
}

std::optional<OffsetTracker::Committable> OffsetTracker::committable() const {
  if (!last_done_) return std::nullopt;
  return Committable{open_.empty() ? last_done_->offset + 1 : open_.front().offset, last_done_->epoch};
}

}  // namespace pg
