#include "tools/pg-bench/pacer.h"

namespace pg {
namespace {

constexpr Duration kAwake = std::chrono::microseconds(100);
// Where records are due when they are asked for, one look at the clock does for so many: it costs as much as half a
// record.
constexpr int64_t kRecordsPerLook = 16;

}  // namespace

Deadline Pacer::due(int64_t number) {
  if (is_paced())
    return start_ + Duration(static_cast<int64_t>(static_cast<double>(number * of_ + index_) * 1e9 / per_second_));
  if (number % kRecordsPerLook == 0) looked_ = clock_.now();
  return looked_;
}

void Pacer::wait_until(Deadline due) {
  for (;;) {
    const Duration left = due - clock_.now();
    if (left <= Duration(0)) return;
    if (left > kAwake) clock_.wait({}, left - kAwake);
  }
}

}  // namespace pg
