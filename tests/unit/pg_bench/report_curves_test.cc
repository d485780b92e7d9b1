#include "tools/pg-bench/report/curves.h"

#include "tests/support/printing.h"

using namespace pg;

namespace {

double y_at(const std::vector<Point>& points, double x) {
  double y = -1;
  for (const auto& point : points) {
    if (point.x <= x + 1e-9) y = point.y;
  }
  return y;
}

ReportedRun with_timeline(double interval_ms, std::vector<double> records, double seconds) {
  ReportedRun result;
  result.interval_ms = interval_ms;
  result.timeline = std::move(records);
  result.seconds = seconds;
  return result;
}

}  // namespace

TEST_CASE("latency_curve: each further nine has the same room") {
  CHECK(nines_of(0) == 0);
  CHECK(nines_of(90) == doctest::Approx(1));
  CHECK(nines_of(99) == doctest::Approx(2));
  CHECK(nines_of(99.99) == doctest::Approx(4));
}

TEST_CASE("latency_curve: it rises where the histogram says, and ends where there are no more records") {
  ReportedRun result;
  result.histogram = {{10'000, 50}, {20'000, 40}, {30'000, 9}, {40'000, 1}};
  const auto points = latency_curve(result);
  CHECK(points.front().x == 0);
  CHECK(points.back().x == doctest::Approx(2));
  CHECK(y_at(points, 0) == 10);
  CHECK(y_at(points, nines_of(49)) == 10);
  CHECK(y_at(points, nines_of(52)) == 20);
  CHECK(y_at(points, 1) == 20);
  CHECK(y_at(points, 1.02) == 30);
  CHECK(points.back().y == 30);
}

TEST_CASE("latency_curve: one record, and millions") {
  ReportedRun result;
  result.histogram = {{5000, 1}};
  CHECK(latency_curve(result).back().x == 1);
  CHECK(latency_curve(result).back().y == 5);
  result.histogram = {{1000, 9'999'000}, {2000, 1000}};
  CHECK(latency_curve(result).back().x == 4);
  CHECK(latency_curve(result).back().y == 1);  // 99.99 % are the first 9,999,000
}

TEST_CASE("latency_curve: without a histogram, from the percentiles; without them, none") {
  ReportedRun result;
  CHECK(latency_curve(result).empty());
  result.histogram = {{1000, 0}};
  CHECK(latency_curve(result).empty());
  result.latency = {{"until", "written", {}}, {"p99.9_us", "30", 30.0}, {"p50_us", "10", 10.0},
                    {"p90_us", "20", 20.0},   {"max_us", "99", 99.0},   {"p100_us", "99", 99.0},
                    {"px_us", "1", 1.0},      {"p75", "1", 1.0},        {"", "1", 1.0}};
  const auto points = latency_curve(result);
  REQUIRE(points.size() == 3);
  CHECK(points[0].y == 10);
  CHECK(points[1].x == doctest::Approx(1));
  CHECK(points[2].x == doctest::Approx(3));
}

TEST_CASE("throughput_curve: from beginning to end, a point in the middle of each interval") {
  const auto points = throughput_curve(with_timeline(100, {1000, 1200}, 0.2));
  REQUIRE(points.size() == 4);
  CHECK(points[0].x == 0);
  CHECK(points[0].y == doctest::Approx(10000));
  CHECK(points[1].x == doctest::Approx(0.05));
  CHECK(points[2].x == doctest::Approx(0.15));
  CHECK(points[2].y == doctest::Approx(12000));
  CHECK(points[3].x == doctest::Approx(0.2));
  CHECK(throughput_curve({}).empty());
}

TEST_CASE("throughput_curve: the last interval is as long as the run, and left out if that is a moment") {
  CHECK(throughput_curve(with_timeline(100, {1000, 600}, 0.16)).back().y == doctest::Approx(10000));
  const auto points = throughput_curve(with_timeline(100, {1000, 7}, 0.1001));
  CHECK(points.back().x == doctest::Approx(0.1));
  CHECK(points.back().y == doctest::Approx(10000));
  CHECK(throughput_curve(with_timeline(100, {7}, 0.001)).back().y == doctest::Approx(7000));
  CHECK(throughput_curve(with_timeline(100, {7}, 1e-320)).back().y == doctest::Approx(70000));
}

TEST_CASE("throughput_curve: a long run has few points, and all of its records") {
  const auto points = throughput_curve(with_timeline(100, std::vector<double>(10'000, 5), 1000));
  CHECK(points.size() < 250);
  CHECK(points.back().x == doctest::Approx(1000));
  for (const auto& point : points) CHECK(point.y == doctest::Approx(50));
}
