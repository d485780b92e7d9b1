// Results, as 'pg-bench COMMAND --json' prints them, one a line. The format may grow: what is not known here is not an
// error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace pg {

// A member of a result line, as a table shows it.
struct Fact {
  std::string name, text;
  std::optional<double> number;  // not below 0
};
using Facts = std::vector<Fact>;  // in the order of the line

std::optional<double> number_of(const Facts& facts, std::string_view name);

// One line of results: what was measured, and how.
struct ReportedRun {
  std::string file;  // where it was read
  int64_t line = 0;
  std::string bench, subject, time, version;
  double records = 0, bytes = 0, seconds = 0, records_per_second = 0,
         bytes_per_second = 0;  // 0: it measures no throughput
  Facts options, latency, figures, machine;
  std::string latency_until;  // what a record had waited for

  // A range of latencies, and how many fell into it.
  struct Bucket {
    double highest_ns = 0, count = 0;
  };
  std::vector<Bucket> histogram;  // ascending

  double interval_ms = 0;
  std::vector<double> timeline;  // records in each interval
};

// The results in `text`; empty lines are none. invalid_argument names `file`, the line and what is wrong there.
Result<std::vector<ReportedRun>> parse_results(const std::string& file, std::string_view text);

}  // namespace pg
