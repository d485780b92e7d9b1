#include "tools/pg-bench/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tools/pg-bench/report/labels.h"
#include "tools/pg-bench/report/plot_scale.h"
#include "tools/pg-bench/report/plots.h"
#include "tools/pg-bench/report/style.h"
#include "tools/pg-bench/report/svg_plot.h"

namespace pg {
namespace {

using Results = std::vector<ReportedRun>;
using Labels = std::vector<std::string>;

struct Column {
  std::string group, title;
  std::function<std::string(const ReportedRun&)> cell;  // empty: this run has no such figure
};

Column latency_column(const std::string& group, const char* title, const char* fact) {
  return {group, title, [=](const ReportedRun& result) {
            const auto number = number_of(result.latency, fact);
            return number ? latency_text(*number) : "";
          }};
}

Column machine_column(const char* title, const char* fact, std::string (*text)(double)) {
  return {"Machine", title, [=](const ReportedRun& result) {
            const auto number = number_of(result.machine, fact);
            return number ? text(*number) : "";
          }};
}

std::vector<Column> columns_of(const Results& results) {
  const std::string until = common_until(results), latency = until.empty() ? "Latency" : "Latency " + until;
  std::vector<Column> columns = {
      {"Throughput", "records",
       [](const auto& result) { return result.records == 0 ? "" : count_text(result.records); }},
      {"Throughput", "records/s",
       [](const auto& result) { return result.records == 0 ? "" : count_text(result.records_per_second); }},
      {"Throughput", "MB/s",
       [](const auto& result) { return result.records == 0 ? "" : megabytes_text(result.bytes_per_second); }},
      {latency, "until", [until](const auto& result) { return until.empty() ? result.latency_until : ""; }},
      latency_column(latency, "p50", "p50_us"),
      latency_column(latency, "p90", "p90_us"),
      latency_column(latency, "p99", "p99_us"),
      latency_column(latency, "p99.9", "p99.9_us"),
      latency_column(latency, "max", "max_us"),
      machine_column("fdatasync/s", "fdatasync_per_second", count_text),
      machine_column("memory MB/s", "memory_bytes_per_second", megabytes_text),
      machine_column("pipe MB/s", "pipe_bytes_per_second", megabytes_text),
  };
  const auto is_empty = [&](const Column& column) {
    return std::all_of(results.begin(), results.end(), [&](const auto& result) { return column.cell(result).empty(); });
  };
  std::erase_if(columns, is_empty);
  return columns;
}

std::string heads(const std::vector<Column>& columns) {
  std::string groups, titles;
  for (auto column = columns.begin(); column != columns.end();) {
    const auto end =
        std::find_if(column, columns.end(), [&](const Column& each) { return each.group != column->group; });
    groups += fmt::format("<th colspan=\"{}\" scope=\"colgroup\" class=\"first\">{}</th>", end - column,
                          escape_markup(column->group));
    for (bool is_first = true; column != end; ++column, is_first = false) {
      titles += fmt::format("<th scope=\"col\"{}>{}</th>", is_first ? " class=\"first\"" : "", column->title);
    }
  }
  return fmt::format("<thead><tr><th rowspan=\"2\" scope=\"col\">Run</th>{}</tr>\n<tr>{}</tr></thead>\n", groups,
                     titles);
}

std::string table(const Results& results, const Labels& labels) {
  const auto columns = columns_of(results);
  std::string out = "<div class=\"scroll\"><table>\n" + heads(columns) + "<tbody>\n";
  for (size_t i = 0; i < results.size(); ++i) {
    out +=
        fmt::format("<tr><th scope=\"row\"><span>{}<span>{}</span></span></th>", key_mark(i), escape_markup(labels[i]));
    const std::string* group = nullptr;
    for (const auto& column : columns) {
      const std::string text = column.cell(results[i]);
      const bool is_first = group == nullptr || *group != column.group;
      out += fmt::format("<td{}>{}</td>", is_first ? " class=\"first\"" : "", text.empty() ? "–" : escape_markup(text));
      group = &column.group;
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string facts_list(const char* title, const Facts& facts) {
  if (facts.empty()) return {};
  std::string out = fmt::format("<section><h3>{}</h3><dl>", title);
  for (const auto& fact : facts)
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escape_markup(fact.name), escape_markup(fact.text));
  return out + "</dl></section>\n";
}

std::string details(const Results& results, const Labels& labels) {
  std::string out = "<h2>Options and machine</h2>\n";
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    const Facts run = {{"time", result.time, {}},
                       {"version", result.version, {}},
                       {"seconds", fmt::format("{:g}", result.seconds), {}},
                       {"bytes", fmt::format("{:.0f}", result.bytes), {}},
                       {"read from", fmt::format("{}:{}", result.file, result.line), {}}};
    out += fmt::format("<details><summary>{}<span>{}</span></summary><div>\n{}{}{}{}{}</div></details>\n", key_mark(i),
                       escape_markup(labels[i]), facts_list("Options", result.options),
                       facts_list("Machine", result.machine), facts_list("Figures", result.figures),
                       facts_list("Latency", result.latency), facts_list("Run", run));
  }
  return out;
}

// "2026-11-29T18:00:00.000Z", to the minute and for people.
std::string minute_of(const std::string& time) {
  return time.size() == 24 && time[10] == 'T' ? fmt::format("{} {}", time.substr(0, 10), time.substr(11, 5)) : time;
}

// "2026-11-29 18:00 to 18:09 UTC"
std::string span_of(const std::set<std::string>& minutes) {
  const std::string &first = *minutes.begin(), &last = *minutes.rbegin();
  const bool same_day = first.substr(0, 11) == last.substr(0, 11);
  return (first == last ? first : fmt::format("{} to {}", first, same_day ? last.substr(11) : last)) + " UTC";
}

// "2 runs of produce · 2026-11-29 18:00 UTC · pilgrimage 0.1.0", as far as the runs have it in common.
std::string summary_of(const Results& results) {
  std::set<std::string> benches, times, versions;
  for (const auto& result : results) {
    benches.insert(result.bench);
    if (!result.time.empty()) times.insert(minute_of(result.time));
    if (!result.version.empty()) versions.insert(result.version);
  }
  std::string out = results.size() == 1 ? "1 run of" : fmt::format("{} runs of", results.size());
  for (const auto& bench : benches) out += fmt::format("{} {}", bench == *benches.begin() ? "" : ",", bench);
  if (!times.empty()) out += " · " + span_of(times);
  if (versions.size() == 1) out += " · pilgrimage " + *versions.begin();
  return out;
}

}  // namespace

std::string report_page(const Results& results) {
  const auto labels = label_runs(results);
  const std::string summary = escape_markup(summary_of(results));
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" "
      "content=\"light dark\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<title>pg-bench: {0}</title>\n<style>{1}{2}</style>\n</head>\n<body>\n<header><h1>Benchmark "
      "results</h1><p>{0}</p></header>\n<main>\n",
      summary, kReportStyle, kPlotStyle);
  out += table(results, labels);
  out += "<div class=\"figures\">\n" + latency_figure(results, labels) + timeline_figure(results, labels) +
         throughput_figure(results, labels) + "</div>\n";
  return out + details(results, labels) + "</main>\n</body>\n</html>\n";
}

}  // namespace pg
