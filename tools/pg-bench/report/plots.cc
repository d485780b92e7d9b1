#include "tools/pg-bench/report/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/pg-bench/report/curves.h"
#include "tools/pg-bench/report/svg_plot.h"

namespace pg {
namespace {

using Results = std::vector<ReportedRun>;
using Labels = std::vector<std::string>;

constexpr int kSteps = 6;  // between ticks

std::string figure(const char* name, std::string_view heading, std::string_view explanation, std::string_view content) {
  return fmt::format("<figure class=\"{}\">\n<figcaption><h2>{}</h2><p>{}</p></figcaption>\n{}\n</figure>\n", name,
                     escape_markup(heading), escape_markup(explanation), content);
}

// Of one line alone the heading says all.
std::string legend(const std::vector<Line>& lines, size_t runs) {
  if (runs < 2) return {};
  std::string out = "\n<ul class=\"legend\">";
  for (const auto& line : lines)
    out += fmt::format("<li>{}<span>{}</span></li>", key_mark(line.style), escape_markup(line.label));
  return out + "</ul>";
}

template <class Curve>
std::vector<Line> lines_of(const Results& results, const Labels& labels, const Curve& curve) {
  std::vector<Line> lines;
  for (size_t i = 0; i < results.size(); ++i) {
    if (auto points = curve(results[i]); !points.empty()) lines.push_back({labels[i], i, std::move(points)});
  }
  return lines;
}

struct Range {
  double low = std::numeric_limits<double>::max(), high = 0;
};

Range range_of(const std::vector<Line>& lines, double Point::*coordinate) {
  Range range;
  for (const auto& line : lines) {
    for (const auto& point : line.points) {
      range.low = std::min(range.low, point.*coordinate);
      range.high = std::max(range.high, point.*coordinate);
    }
  }
  return range;
}

Axis percentile_axis(double nines_end) {
  Axis axis{"percentile (%)", {0, nines_end}, {}};
  for (const double percent : {0.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    if (nines_of(percent) <= nines_end * 1.001) axis.ticks.push_back({nines_of(percent), fmt::format("{:g}", percent)});
  }
  return axis;
}

Axis latency_axis(const Range& range) {
  const auto ticks = logarithmic_ticks(range.low, range.high);
  Axis axis{"latency", {ticks.front(), ticks.back(), true}, {}};
  for (const double tick : ticks) axis.ticks.push_back({tick, latency_text(tick)});
  return axis;
}

Axis rate_axis(double highest) {
  const auto ticks = linear_ticks(highest, kSteps);
  Axis axis{"records/s", {0, ticks.back()}, {}};
  for (const double tick : ticks) axis.ticks.push_back({tick, short_text(tick)});
  return axis;
}

// It ends where the longest run ends, which need not be a round number.
Axis time_axis(double end) {
  Axis axis{"seconds", {0, end}, {}};
  for (const double tick : linear_ticks(end, kSteps)) {
    if (tick <= end * 1.001) axis.ticks.push_back({tick, fmt::format("{:g}", tick)});
  }
  return axis;
}

std::string describe_latency(const std::vector<Line>& lines) {
  std::string out;
  for (const auto& line : lines) {
    out += fmt::format("{}: from {} to {} at {:.4g} %. ", line.label, latency_text(line.points.front().y),
                       latency_text(line.points.back().y), 100 * (1 - std::pow(10, -line.points.back().x)));
  }
  return out;
}

std::string describe_rates(const std::vector<Line>& lines) {
  std::string out;
  for (const auto& line : lines) {
    const Range rates = range_of({line}, &Point::y);
    out += fmt::format("{}: between {} and {} records/s in {:.3g} s. ", line.label, count_text(rates.low),
                       count_text(rates.high), line.points.back().x);
  }
  return out;
}

// A bar for each run that has a throughput: `value` gives its length, `text` is written behind it.
template <class Value, class Text>
std::string bars(const char* heading, const Results& results, const Labels& labels, const Value& value,
                 const Text& text) {
  double most = 0;
  for (const auto& result : results) most = std::max(most, value(result));
  if (most == 0) return {};
  std::string out = "<ul class=\"bars\">";
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].records == 0) continue;
    out += fmt::format("\n<li><span>{}</span><div>{}<b>{}</b></div></li>", escape_markup(labels[i]),
                       bar(value(results[i]) / most, i, fmt::format("{}: {}", labels[i], text(results[i]))),
                       text(results[i]));
  }
  return fmt::format("<section><h3>{}</h3>\n{}</ul></section>\n", heading, out);
}

// Whether the runs have records of different sizes, so that bytes tell something else than records.
bool sizes_differ(const Results& results) {
  Range size;
  for (const auto& result : results) {
    if (result.records == 0) continue;
    size.low = std::min(size.low, result.bytes / result.records);
    size.high = std::max(size.high, result.bytes / result.records);
  }
  return size.high > size.low * 1.01;
}

}  // namespace

std::string common_until(const Results& results) {
  std::string until;
  for (const auto& result : results) {
    if (result.latency.empty() && result.histogram.empty()) continue;
    if (result.latency_until.empty() || (!until.empty() && until != result.latency_until)) return {};
    until = result.latency_until;
  }
  return until.empty() ? "" : "until " + until;
}

std::string throughput_figure(const Results& results, const Labels& labels) {
  if (results.size() < 2) return {};  // there is nothing to compare
  const auto records = [](const auto& result) { return result.records_per_second; };
  const auto bytes = [](const auto& result) { return result.bytes_per_second; };
  const auto megabytes = [](const auto& result) { return megabytes_text(result.bytes_per_second); };
  std::string content = bars("records/s", results, labels, records,
                             [](const auto& result) { return count_text(result.records_per_second); });
  if (content.empty() || sizes_differ(results)) content += bars("MB/s", results, labels, bytes, megabytes);
  return content.empty()
             ? ""
             : figure("throughput", "Throughput", "Longer is faster.", "<div class=\"groups\">" + content + "</div>");
}

std::string latency_figure(const Results& results, const Labels& labels) {
  const auto lines = lines_of(results, labels, latency_curve);
  if (lines.empty()) return {};
  LinePlot plot{"latency",
                "Latency by percentile",
                describe_latency(lines),
                percentile_axis(range_of(lines, &Point::x).high),
                latency_axis(range_of(lines, &Point::y)),
                lines};
  const std::string until = common_until(results);
  if (!until.empty()) plot.y.title += ", " + until;
  return figure("lines", plot.title, "Lower is better. Each further nine has the same room.",
                line_plot(plot) + legend(lines, results.size()));
}

std::string timeline_figure(const Results& results, const Labels& labels) {
  const auto lines = lines_of(results, labels, throughput_curve);
  if (lines.empty()) return {};
  const LinePlot plot{"timeline",
                      "Throughput over time",
                      describe_rates(lines),
                      time_axis(range_of(lines, &Point::x).high),
                      rate_axis(range_of(lines, &Point::y).high),
                      lines};
  return figure("lines", plot.title, "Higher is faster, level is steady.",
                line_plot(plot) + legend(lines, results.size()));
}

}  // namespace pg
