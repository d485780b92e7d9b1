#include "tools/pg-bench/report/svg_plot.h"

#include <set>

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("path_data: y grows downwards, and what lies outside of the axes is at their ends") {
  const Scale x{0, 2}, y{0, 10}, logarithmic{1, 100, true};
  CHECK(path_data({}, x, y) == "");
  CHECK(path_data({{0, 0}}, x, y) == "M0.0 1000.0");
  CHECK(path_data({{0, 0}, {1, 5}, {2, 10}}, x, y) == "M0.0 1000.0L500.0 500.0L1000.0 0.0");
  CHECK(path_data({{-1, 20}, {3, -1}}, x, y) == "M0.0 0.0L1000.0 1000.0");
  CHECK(path_data({{0.5, 1}, {1, 10}, {1.5, 100}}, x, logarithmic) == "M250.0 1000.0L500.0 500.0L750.0 0.0");
}

TEST_CASE("escape_markup: nothing of the text is markup, and nothing is left that a document may not have") {
  CHECK(escape_markup("plain · µs") == "plain · µs");
  CHECK(escape_markup("<a b='c' d=\"e\">&amp;") == "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;");
  CHECK(escape_markup("tab\tline\n") == "tab\tline\n");
  CHECK(escape_markup(std::string_view("\0\x1b\x7f", 3)) == "\uFFFD\uFFFD\uFFFD");
  CHECK(escape_markup("caf\xe9") == "caf\uFFFD");
  CHECK(escape_markup("\xef\xbf\xbf|\xef\xbf\xbe|\xef\xbf\xbd") == "\uFFFD|\uFFFD|\uFFFD");
}

TEST_CASE("style_classes: 64 runs look different, and neighbours differ in both colour and dashes") {
  std::set<std::string> seen;
  for (size_t run = 0; run < 64; ++run) CHECK(seen.insert(style_classes(run)).second);
  CHECK(style_classes(0) == "c0 d0");
  CHECK(style_classes(7) == "c7 d7");
  CHECK(style_classes(8) == "c0 d1");
  CHECK(style_classes(64) == style_classes(0));
}

TEST_CASE("line_plot: ticks are where their values are, and texts are escaped") {
  const LinePlot plot{"name",
                      "T<",
                      "D&",
                      {"x'", {0, 10}, {{0, "0"}, {2.5, "2<"}}},
                      {"y", {1, 100, true}, {{10, "10"}}},
                      {{"L>", 3, {{0, 1}, {10, 100}}}}};
  const std::string svg = line_plot(plot);
  const auto has = [&](std::string_view part) { return svg.find(part) != std::string::npos; };
  CHECK(has(R"(aria-labelledby="name-title name-desc")"));
  CHECK(has(R"(<title id="name-title">T&lt;</title><desc id="name-desc">D&amp;</desc>)"));
  CHECK(has(R"(x1="25.00%" x2="25.00%")"));
  CHECK(has(R"(>2&lt;</text>)"));
  CHECK(has(R"(y1="50.00%" y2="50.00%")"));
  CHECK(has(R"(<path class="c3 d3" d="M0.0 1000.0L1000.0 0.0"><title>L&gt;</title></path>)"));
}

TEST_CASE("bar: it takes its share of the width") {
  CHECK(bar(0.5, 1, "a<b").find(R"(<title>a&lt;b</title><rect class="c1 d1" width="50.00%")") != std::string::npos);
}
