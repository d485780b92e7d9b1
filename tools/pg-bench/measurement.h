// What one process has measured, and many together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"
#include "tools/pg-bench/histogram.h"

namespace pg {

inline constexpr Duration kTimelineInterval = std::chrono::milliseconds(100);

class Measurement {
 public:
  // `origin`: where the timeline begins, the same for all that are merged. What is before it, the warm-up, is not
  // measured.
  explicit Measurement(Deadline origin) : origin_(origin), ended_(origin) {}

  bool measures(Deadline due) const { return due >= origin_; }
  // `count` records, of `bytes` together, that were due at `due` are done at `now`: a latency each, and a place in the
  // timeline.
  void done(Deadline due, Deadline now, int64_t count, int64_t bytes);
  // The same where nothing was due: no latency.
  void passed(Deadline now, int64_t count, int64_t bytes);
  void merge(const Measurement& other);

  const Histogram& latency() const { return latency_; }
  Histogram& latency() { return latency_; }
  int64_t records() const { return records_; }
  int64_t bytes() const { return bytes_; }
  // From the origin to the last record; of processes that worked side by side, the last one's.
  Duration length() const { return ended_ - origin_; }
  double seconds() const { return std::chrono::duration<double>(length()).count(); }
  const std::vector<int64_t>& timeline() const { return timeline_; }  // records in each kTimelineInterval

  // One line of JSON, for the process that merges. Both have the same boot's monotonic clock.
  std::string to_json() const;
  static Result<Measurement> from_json(std::string_view text);

 private:
  Deadline origin_;
  Deadline ended_;
  Histogram latency_;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
  std::vector<int64_t> timeline_;
};

}  // namespace pg
