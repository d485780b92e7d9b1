// pg-bench report.
#include <fmt/format.h>

#include <iterator>
#include <limits>

#include "tools/pg-bench/commands.h"
#include "tools/pg-bench/report/input.h"
#include "tools/pg-bench/report/page.h"

namespace pg {
namespace {

constexpr size_t kResultBytesMax = 256 << 20;

Result<std::vector<ReportedRun>> read_results(const std::string& operand) {
  const bool is_input = operand == "-";
  auto text = read_user_file(is_input ? "/dev/stdin" : operand, kResultBytesMax);
  if (!text && text.error().code == Errc::limit) return fail(Errc::limit, "more than 256 MiB of results", operand);
  PG_CHECK(text);
  return parse_results(is_input ? "standard input" : operand, *text);
}

}  // namespace

int bench_report(const Arguments& arguments) {
  Tool tool("pg-bench report");
  std::string output;
  OptionTable table("pg-bench report", "RESULT...",
                    "Draws the results in each file RESULT, lines that pg-bench COMMAND --json printed, as one HTML "
                    "file. '-' is standard input.");
  table.operands(1, std::numeric_limits<size_t>::max());
  table.option(
      "-o,--output", "FILE",
      [&](const std::string& value) {
        output = value;
        return value.empty() ? fail(Errc::invalid_argument, "an empty name is not a file") : Result<>();
      },
      "write to FILE, whole or not at all, instead of to stdout");
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    if (!output.empty()) PG_CHECK(check_user_file(output));
    std::vector<ReportedRun> results;
    for (const auto& operand : operands) {
      PG_ASSIGN(auto more, read_results(operand));
      std::move(more.begin(), more.end(), std::back_inserter(results));
    }
    if (results.empty()) return fail(Errc::invalid_argument, "there is no result in what was read");
    const std::string page = report_page(results);
    return (output.empty() ? tool.print(page) : write_user_file(tool.env().files, output, page)).map([] {
      return kExitDone;
    });
  });
}

}  // namespace pg
