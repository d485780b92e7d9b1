// Plots as SVG inside of HTML that is well-formed XML too. A plot is as wide as the page lets it, its text has the size
// of the page's text at any width, and its colours and dashes come from kPlotStyle. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/pg-bench/report/plot_scale.h"

namespace pg {

// A value of a line, in the units of its axes.
struct Point {
  double x = 0, y = 0;
};

// An axis: its title, its scale and its ticks.
struct Axis {
  // A mark on the axis.
  struct Tick {
    double value = 0;
    std::string label;
  };
  std::string title;
  Scale scale;
  std::vector<Tick> ticks;
};

// A run in a plot.
struct Line {
  std::string label;
  size_t style = 0;  // which colour and dashes: the number of the run
  std::vector<Point> points;
};

// A plot of one or more runs.
struct LinePlot {
  std::string id;  // unique in the page
  std::string title, description;
  Axis x, y;
  std::vector<Line> lines;
};

// What stands for `text` in elements and attributes. Bytes that no document may have become U+FFFD.
std::string escape_markup(std::string_view text);

// The `d` of a path through the points, in a square of 1000 by 1000 whose y grows downwards.
std::string path_data(const std::vector<Point>& points, const Scale& x, const Scale& y);

// The classes that give the colour and the dashes of a run: 64 that differ, neighbours in both.
std::string style_classes(size_t style);

std::string line_plot(const LinePlot& plot);
// A piece of the line of that style, for a legend.
std::string key_mark(size_t style);
// A bar that takes `share` (0 to 1) of the width.
std::string bar(double share, size_t style, std::string_view title);

extern const std::string_view kPlotStyle;  // CSS

}  // namespace pg
