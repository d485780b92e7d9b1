#include "tools/pg-bench/report/curves.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pg {
namespace {

constexpr double kNinesMax = 4;
constexpr int kLatencyPoints = 240;
constexpr size_t kThroughputPoints = 240;

std::vector<Point> curve_of(const std::vector<ReportedRun::Bucket>& histogram, double total) {
  const double end = std::clamp(std::log10(total), 1.0, kNinesMax);
  std::vector<Point> points;
  size_t bucket = 0;
  double seen = histogram[0].count;
  for (int i = 0; i <= kLatencyPoints; ++i) {
    const double nines = end * i / kLatencyPoints;
    const double wanted = (1 - std::pow(10, -nines)) * total * (1 - 1e-12);  // 90 % of 10 are 9, and not a bit more
    while (seen < std::max(wanted, 1.0) && bucket + 1 < histogram.size()) seen += histogram[++bucket].count;
    points.push_back({nines, histogram[bucket].highest_ns / 1000});
  }
  return points;
}

// "p99.9_us" is 99.9.
std::optional<double> percent_of(const std::string& name) {
  if (!name.starts_with('p')) return {};
  double percent = 0;
  const char* const end = name.data() + name.size();
  const auto [behind, error] = std::from_chars(name.data() + 1, end, percent);
  if (error != std::errc() || std::string_view(behind, end) != "_us" || !(percent >= 0 && percent < 100)) return {};
  return percent;
}

std::vector<Point> curve_of(const Facts& latency) {
  std::vector<Point> points;
  for (const auto& fact : latency) {
    const auto percent = percent_of(fact.name);
    if (percent && fact.number && nines_of(*percent) <= kNinesMax) points.push_back({nines_of(*percent), *fact.number});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  if (points.size() < 2) points.clear();  // no line
  return points;
}

// How long it is: the last interval ends with the run, but something it was.
double length_of(const ReportedRun& result, size_t interval) {
  const double full = result.interval_ms / 1000, left = result.seconds - static_cast<double>(interval) * full;
  return interval + 1 == result.timeline.size() && left > 0 && left < full ? std::max(left, full / 1000) : full;
}

}  // namespace

double nines_of(double percent) { return -std::log10(1 - percent / 100); }

std::vector<Point> latency_curve(const ReportedRun& result) {
  double total = 0;
  for (const auto& bucket : result.histogram) total += bucket.count;
  return total > 0 ? curve_of(result.histogram, total) : curve_of(result.latency);
}

std::vector<Point> throughput_curve(const ReportedRun& result) {
  const size_t intervals = result.timeline.size(), together = (intervals + kThroughputPoints - 1) / kThroughputPoints;
  std::vector<Point> points;
  double begin = 0;
  for (size_t i = 0; i < intervals;) {
    double records = 0, length = 0;
    const size_t end = std::min(i + together, intervals);
    for (; i < end; ++i) {
      records += result.timeline[i];
      length += length_of(result, i);
    }
    // What ran for a moment only says nothing of the speed.
    const bool is_cut_short = i == intervals && length < result.interval_ms / 1000 / 2;
    if (is_cut_short && !points.empty()) break;
    if (points.empty()) points.push_back({0, records / length});
    points.push_back({begin + length / 2, records / length});
    begin += length;
  }
  if (!points.empty()) points.push_back({begin, points.back().y});
  return points;
}

}  // namespace pg
