// What stands along an axis of a plot: where values lie, where the ticks are, and how values are written. Pure
// functions.
#pragma once

#include <string>
#include <vector>

namespace pg {

// How values become places on an axis.
struct Scale {
  double low = 0, high = 1;  // logarithmic: both above 0
  bool logarithmic = false;

  // 0 at `low`, 1 at `high`; values outside lie at the nearer end.
  double at(double value) const;
};

// 0 and the multiples of a round step (1, 2 or 5 times a power of ten), the last at or above `highest`; at most `most`
// steps.
std::vector<double> linear_ticks(double highest, int most);

// Round values from at or below `lowest` to at or above `highest`, two at least: 1, 2 and 5 times powers of ten, or
// over many decades powers of ten alone. Nothing is below 0.001: there has to be a least one.
std::vector<double> logarithmic_ticks(double lowest, double highest);

std::string latency_text(double microseconds);  // "12.1 µs", "1.2 ms", "30 s": three digits that count
std::string count_text(double value);           // "1,234,568"
std::string megabytes_text(double bytes);       // "98.0", "1,900": in millions of bytes
std::string short_text(double value);           // "1.25 M", for ticks

}  // namespace pg
