#include "tools/pg-bench/histogram.h"

#include <random>

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("histogram: empty, it has no percentiles") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.percentile(50) == 0);
  CHECK(empty.max() == 0);
  CHECK(empty.buckets().empty());
}

TEST_CASE("histogram: small latencies are exact") {
  Histogram histogram;
  for (int64_t i = 1; i <= 100; ++i) histogram.record(i);
  CHECK(histogram.count() == 100);
  CHECK(histogram.percentile(0) == 1);
  CHECK(histogram.percentile(50) == 50);
  CHECK(histogram.percentile(99) == 99);
  CHECK(histogram.percentile(99.9) == 100);
  CHECK(histogram.percentile(100) == 100);
  CHECK(histogram.max() == 100);
}

TEST_CASE("histogram: any latency is known to less than 1 % above itself") {
  for (int64_t value = 1; value < 3'000'000'000'000; value += 1 + value / 7) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(4'000'000'000'000);  // so that the maximum does not bound it
    const int64_t seen = histogram.percentile(50);
    CHECK(seen >= value);
    CHECK(static_cast<double>(seen - value) <= static_cast<double>(value) / 128);
  }
}

TEST_CASE("histogram: neighbours are in the same bucket or in the next one, and the highest of a bucket is in it") {
  for (const int64_t value : {0, 1, 127, 128, 255, 256, 257, 511, 512, 513, 65535, 65536, 1'000'000'007}) {
    Histogram one;
    one.record(value);
    const auto bucket = one.buckets().at(0);
    CHECK(bucket.highest >= value);
    Histogram again, above;
    again.record(bucket.highest);
    above.record(bucket.highest + 1);
    CHECK(again.buckets().at(0).highest == bucket.highest);
    CHECK(above.buckets().at(0).highest > bucket.highest);
  }
}

TEST_CASE("histogram: what is negative counts as nothing, what is too long as an hour with its true maximum") {
  Histogram histogram;
  histogram.record(-5);
  CHECK(histogram.percentile(100) == 0);
  histogram.record(int64_t{9'000'000'000'000'000});
  CHECK(histogram.max() == 9'000'000'000'000'000);
  CHECK(histogram.percentile(50) == 0);
  CHECK(histogram.percentile(100) >= 3'600'000'000'000);
}

TEST_CASE("histogram: merged, or made of another one's buckets, it is as if it had seen all") {
  std::mt19937 random(1);
  Histogram all, odd, even;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<int64_t>(random() % 50'000'000);
    all.record(value);
    (i % 2 == 0 ? even : odd).record(value);
  }
  odd.merge(even);
  const Histogram copy = Histogram::of(all.buckets(), all.max());
  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    CHECK(odd.percentile(percent) == all.percentile(percent));
    CHECK(copy.percentile(percent) == all.percentile(percent));
  }
  CHECK(odd.count() == 10'000);
  CHECK(odd.max() == all.max());
}
