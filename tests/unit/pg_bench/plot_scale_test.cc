#include "tools/pg-bench/report/plot_scale.h"

#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("linear_ticks: from 0 in round steps to at least the highest value") {
  struct Row {
    double highest;
    int most;
    std::vector<double> ticks;
  };
  const Row rows[] = {
      {0, 5, {0, 1}},
      {1, 5, {0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}},
      {1, 4, {0, 0.5, 1}},
      {1.02, 5, {0, 0.5, 1, 1.5}},
      {99, 5, {0, 20, 40, 60, 80, 100}},
      {100, 5, {0, 20, 40, 60, 80, 100}},
      {101, 5, {0, 50, 100, 150}},
      {980392, 5, {0, 200000, 400000, 600000, 800000, 1000000}},
      {7, 1, {0, 10}},
      {0.003, 5, {0, 0.001, 0.002, 0.003}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.highest);
    CHECK(linear_ticks(row.highest, row.most) == row.ticks);
  }
}

TEST_CASE("linear_ticks: never more steps than asked for, and none too many") {
  for (double highest = 1e-6; highest < 1e15; highest *= 1.37) {
    const auto ticks = linear_ticks(highest, 5);
    CAPTURE(highest);
    CHECK(ticks.size() <= 6);
    CHECK(ticks.size() >= 3);
    CHECK(ticks.back() >= highest);
    CHECK(ticks[ticks.size() - 2] < highest);
  }
}

TEST_CASE("logarithmic_ticks: around what there is, 1, 2, 5, or powers of ten where those are too many") {
  struct Row {
    double lowest, highest;
    std::vector<double> ticks;
  };
  const Row rows[] = {
      {12.1, 901, {10, 20, 50, 100, 200, 500, 1000}},
      {10, 1000, {10, 20, 50, 100, 200, 500, 1000}},
      {10, 1001, {10, 20, 50, 100, 200, 500, 1000, 2000}},
      {3, 3, {2, 5}},
      {5, 5, {5, 10}},
      {0.3, 0.6, {0.2, 0.5, 1}},
      {0, 0.0015, {0.001, 0.002}},
      {0, 0, {0.001, 0.002}},
      {1.5, 2500, {1, 10, 100, 1000, 10000}},
      {0.02, 999999, {0.01, 0.1, 1, 10, 100, 1000, 10000, 100000, 1000000}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.lowest);
    CAPTURE(row.highest);
    CHECK(logarithmic_ticks(row.lowest, row.highest) == row.ticks);
  }
}

TEST_CASE("Scale: linear and logarithmic, and what lies outside is at the end") {
  const Scale linear{0, 50}, logarithmic{1, 1000, true};
  CHECK(linear.at(0) == 0);
  CHECK(linear.at(25) == 0.5);
  CHECK(linear.at(60) == 1);
  CHECK(logarithmic.at(1) == 0);
  CHECK(logarithmic.at(100) == doctest::Approx(2.0 / 3));
  CHECK(logarithmic.at(1000) == 1);
  CHECK(logarithmic.at(0) == 0);
}

TEST_CASE("values are written with their units") {
  struct Row {
    double microseconds;
    const char* text;
  };
  for (const auto& [microseconds, text] :
       {Row{0, "0 ns"}, Row{0.25, "250 ns"}, Row{1, "1 µs"}, Row{12.1, "12.1 µs"}, Row{901.4, "901 µs"},
        Row{999.4, "999 µs"}, Row{999.7, "1 ms"}, Row{1234, "1.23 ms"}, Row{2e6, "2 s"}, Row{5e9, "5000 s"}}) {
    CHECK(latency_text(microseconds) == text);
  }
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1,000");
  CHECK(count_text(1234567.8) == "1,234,568");
  CHECK(megabytes_text(98039215) == "98.0");
  CHECK(megabytes_text(1234567) == "1.23");
  CHECK(megabytes_text(1.9e9) == "1,900");
  CHECK(short_text(0) == "0");
  CHECK(short_text(200) == "200");
  CHECK(short_text(1500) == "1.5 k");
  CHECK(short_text(1.25e6) == "1.25 M");
  CHECK(short_text(2e9) == "2 G");
}
