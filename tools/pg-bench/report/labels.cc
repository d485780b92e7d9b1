#include "tools/pg-bench/report/labels.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace pg {
namespace {

constexpr std::string_view kBetween = " · ";

std::string workload_of(const ReportedRun& result) {
  return result.subject.empty() ? result.bench : result.bench + " " + result.subject;
}

// The version is an option like others, since a reader may compare two versions.
Facts settings_of(const ReportedRun& result) {
  Facts settings = result.options;
  if (!result.version.empty()) settings.push_back({"version", result.version, {}});
  return settings;
}

// The settings that differ between runs of one workload: two have different values, or one lacks it.
std::set<std::string> differing_settings(const std::vector<ReportedRun>& results, const std::string& workload) {
  std::map<std::string, std::multiset<std::string>> values;
  size_t runs = 0;
  for (const auto& result : results) {
    if (workload_of(result) != workload) continue;
    ++runs;
    for (const auto& setting : settings_of(result)) values[setting.name].insert(setting.text);
  }
  std::set<std::string> differing;
  for (const auto& [name, texts] : values) {
    if (texts.count(*texts.begin()) < runs) differing.insert(name);
  }
  return differing;
}

// Adds to each label that is not the only one of its kind what `more` says.
template <class More>
void tell_apart(std::vector<std::string>& labels, const std::vector<ReportedRun>& results, const More& more) {
  std::map<std::string, size_t> times;
  for (const auto& label : labels) ++times[label];
  for (size_t i = 0; i < labels.size(); ++i) {
    if (times[labels[i]] > 1) labels[i] += more(results[i]);
  }
}

}  // namespace

std::vector<std::string> label_runs(const std::vector<ReportedRun>& results) {
  std::vector<std::string> labels;
  for (const auto& result : results) {
    std::string label = workload_of(result);
    const auto differing = differing_settings(results, label);
    for (const auto& setting : settings_of(result)) {
      if (differing.contains(setting.name)) label += fmt::format("{}{}={}", kBetween, setting.name, setting.text);
    }
    labels.push_back(std::move(label));
  }
  tell_apart(labels, results, [](const auto& result) { return fmt::format("{}{}", kBetween, result.file); });
  tell_apart(labels, results, [](const auto& result) { return fmt::format(":{}", result.line); });
  return labels;
}

}  // namespace pg
