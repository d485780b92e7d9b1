#include "tools/pg-bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace pg {
namespace {

constexpr int kHalfBits = 7;  // 128 buckets in each power of two, from 128 on; below, a bucket for each nanosecond
constexpr int64_t kHalf = int64_t{1} << kHalfBits;
constexpr int64_t kLargest = 3'600'000'000'000;

// Values below 2 * kHalf are their own bucket. Above, the eight leading bits say which one, and `shift` how many others
// there are.
size_t bucket_of(int64_t value) {
  if (value < 2 * kHalf) return static_cast<size_t>(value);
  const int shift = static_cast<int>(std::bit_width(static_cast<uint64_t>(value))) - kHalfBits - 1;
  return static_cast<size_t>(shift * kHalf + (value >> shift));
}

int64_t highest_of(size_t bucket) {
  const auto index = static_cast<int64_t>(bucket);
  if (index < 2 * kHalf) return index;
  const int64_t shift = index / kHalf - 1;
  return ((index - shift * kHalf + 1) << shift) - 1;
}

}  // namespace

void Histogram::record(int64_t nanoseconds, int64_t count) {
  const int64_t value = std::max<int64_t>(nanoseconds, 0);
  const size_t bucket = bucket_of(std::min(value, kLargest));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  counts_[bucket] += count;
  count_ += count;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

int64_t Histogram::percentile(double percent) const {
  const auto wanted =
      std::max<int64_t>(1, static_cast<int64_t>(std::ceil(percent / 100 * static_cast<double>(count_))));
  int64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(highest_of(i), max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> result;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) result.push_back({highest_of(i), counts_[i]});
  }
  return result;
}

Histogram Histogram::of(const std::vector<Bucket>& buckets, int64_t max) {
  Histogram result;
  for (const Bucket& bucket : buckets) result.record(bucket.highest, bucket.count);
  result.max_ = max;
  return result;
}

}  // namespace pg
