// The figures of a report, as HTML. Each is empty if no run has anything for it.
#pragma once

#include <string>
#include <vector>

#include "tools/pg-bench/report/input.h"

namespace pg {

// `labels` are the names of the runs, in the same order.
std::string throughput_figure(const std::vector<ReportedRun>& results, const std::vector<std::string>& labels);
std::string latency_figure(const std::vector<ReportedRun>& results, const std::vector<std::string>& labels);
std::string timeline_figure(const std::vector<ReportedRun>& results, const std::vector<std::string>& labels);

// "until written", if all that have a latency agree on it; or empty.
std::string common_until(const std::vector<ReportedRun>& results);

}  // namespace pg
