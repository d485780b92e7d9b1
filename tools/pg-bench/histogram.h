// How often which latency was seen, in little memory and with a bounded error, as in Gil Tene's HdrHistogram: each
// power of two is cut into buckets of the same width, so that a value is known to 1/128 of itself, however large.
#pragma once

#include <cstdint>
#include <vector>

namespace pg {

class Histogram {
 public:
  // Latencies in nanoseconds; negative ones count as 0, those of an hour and more as an hour, but max() is exact.
  void record(int64_t nanoseconds, int64_t count = 1);
  void merge(const Histogram& other);

  int64_t count() const { return count_; }
  int64_t max() const { return max_; }
  // The smallest latency that at least `percent` % of all do not exceed, less than 1 % above the true one; 0 if there
  // is none.
  int64_t percentile(double percent) const;

  // A range of latencies, and how many fell into it.
  struct Bucket {
    int64_t highest = 0;  // latency that falls into it; recording it again finds the same bucket
    int64_t count = 0;    // not 0
  };
  std::vector<Bucket> buckets() const;  // ascending
  // From what buckets() and max() of another one gave.
  static Histogram of(const std::vector<Bucket>& buckets, int64_t max);

 private:
  std::vector<int64_t> counts_;  // as far as there was a latency
  int64_t count_ = 0;
  int64_t max_ = 0;
};

}  // namespace pg
