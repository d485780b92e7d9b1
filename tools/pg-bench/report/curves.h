// The lines that a result gives: points, in the units of the axes.
#pragma once

#include <vector>

#include "tools/pg-bench/report/input.h"
#include "tools/pg-bench/report/svg_plot.h"

namespace pg {

// Percentiles on the scale that gives each further nine the same room: 0 % is 0, 90 % is 1, 99 % is 2.
double nines_of(double percent);

// x: nines, as far as there are records for them, four at most; y: the latency in microseconds that so many do not
// exceed. From the histogram, or else from the percentiles. Nothing if there is neither.
std::vector<Point> latency_curve(const ReportedRun& result);

// x: seconds; y: records per second. Of a long run, several intervals are one point.
std::vector<Point> throughput_curve(const ReportedRun& result);

}  // namespace pg
