#include "tools/pg-bench/report/plot_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pg {
namespace {

constexpr double kLeastLogarithmic = 0.001;
constexpr size_t kMostTicks = 10;

// Round values are counted: 0 is 1, 1 is 2, 2 is 5, 3 is 10, -1 is 0.5.
int decade_of(int index) { return index >= 0 ? index / 3 : -((2 - index) / 3); }

double round_value(int index) {
  constexpr double kLeading[] = {1, 2, 5};
  const int decade = decade_of(index);
  // A power below 1 has no exact value, but 5 / 10 is the number that "0.5" is.
  const double leading = kLeading[index - 3 * decade];
  return decade >= 0 ? leading * std::pow(10, decade) : leading / std::pow(10, -decade);
}

// The greatest round value that is at most `value`.
int round_index_below(double value) {
  int index = 3 * static_cast<int>(std::floor(std::log10(value))) + 3;
  while (round_value(index) > value) --index;
  return index;
}

struct Unit {
  double factor;
  const char* name;
};

// The largest that `value` has one of, or the smallest.
template <size_t N>
const Unit& unit_for(const Unit (&units)[N], double value) {
  const auto fits = [&](const Unit& unit) { return value >= unit.factor; };
  const auto* found = std::find_if(std::begin(units), std::end(units), fits);
  return found == std::end(units) ? units[N - 1] : *found;
}

// Three digits, without an exponent and without zeros at the end.
std::string three_digits(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

}  // namespace

double Scale::at(double value) const {
  const auto measure = [&](double v) { return logarithmic ? std::log10(std::max(v, low)) : v; };
  const double share = (measure(value) - measure(low)) / (measure(high) - measure(low));
  return std::clamp(share, 0.0, 1.0);
}

std::vector<double> linear_ticks(double highest, int most) {
  if (highest <= 0) return {0, 1};
  int index = round_index_below(highest / most);
  while (round_value(index) * most < highest) ++index;
  const double step = round_value(index);
  std::vector<double> ticks = {0};
  for (int i = 1; ticks.back() < highest; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> logarithmic_ticks(double lowest, double highest) {
  const int first = round_index_below(std::max(lowest, kLeastLogarithmic));
  int last = first + 1;
  while (round_value(last) < highest) ++last;
  std::vector<double> ticks;
  for (int i = first; i <= last; ++i) ticks.push_back(round_value(i));
  if (ticks.size() <= kMostTicks) return ticks;
  ticks.clear();
  for (int decade = decade_of(first); decade <= decade_of(last + 2); ++decade) ticks.push_back(round_value(3 * decade));
  return ticks;
}

std::string latency_text(double microseconds) {
  static constexpr Unit kUnits[] = {{1e6, "s"}, {1e3, "ms"}, {1, "µs"}, {1e-3, "ns"}};
  const Unit& unit = unit_for(kUnits, microseconds / 0.9995);  // what is rounded to 1000 belongs to the next one
  return fmt::format("{} {}", three_digits(microseconds / unit.factor), unit.name);
}

std::string count_text(double value) {
  std::string text = fmt::format("{:.0f}", value);
  for (auto at = static_cast<ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), 1, ',');
  return text;
}

std::string megabytes_text(double bytes) {
  const double megabytes = bytes / 1e6;
  return megabytes < 100 ? fmt::format("{:#.3g}", megabytes) : count_text(megabytes);
}

std::string short_text(double value) {
  static constexpr Unit kUnits[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}};
  const Unit& unit = unit_for(kUnits, value);
  return fmt::format("{:.4g}{}", value / unit.factor, unit.name);
}

}  // namespace pg
