// What the runs of a report are called.
#pragma once

#include <string>
#include <vector>

#include "tools/pg-bench/report/input.h"

namespace pg {

// A name for each: its bench, its subject, and what tells it from others with these: options, the version, and if need
// be the file.
std::vector<std::string> label_runs(const std::vector<ReportedRun>& results);

}  // namespace pg
