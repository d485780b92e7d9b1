// One HTML page of results: a table, plots, and what each run was. It needs no script and no network.
#pragma once

#include <string>
#include <vector>

#include "tools/pg-bench/report/input.h"

namespace pg {

// `results` has one at least. The page is well-formed XML too.
std::string report_page(const std::vector<ReportedRun>& results);

}  // namespace pg
