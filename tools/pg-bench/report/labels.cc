#include "tools/pg-bench/report/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace pg {
namespace {

constexpr std::string_view kBetween = " · ";

std::string workload_of(const ReportedRun& result) { return result.subject.empty() ? result.bench : result.bench + " " + result.subject; }

// The version is an option like others: who compares two of them wants to see which is which.
Facts settings_of(const ReportedRun& result) {
  Facts settings = result.options;
  if (!result.version.empty()) settings.push_back({"version", result.version, {}});
  return settings;
}

// The settings that differ: two runs have different values, or of two runs of the same workload one has it and one not. What only
// another kind of run has tells nothing.
std::set<std::string> differing_settings(const std::vector<ReportedRun>& results) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::map<std::string, size_t>> runs_with;  // setting, workload
  std::map<std::string, size_t> runs;
  for (const auto& result : results) {
    ++runs[workload_of(result)];
    for (const auto& setting : settings_of(result)) {
      values[setting.name].insert(setting.text);
      ++runs_with[setting.name][workload_of(result)];
    }
  }
  std::set<std::string> differing;
  for (const auto& [name, texts] : values) {
    const auto& with = runs_with[name];
    const bool some_lack_it = std::any_of(with.begin(), with.end(), [&](const auto& each) { return each.second < runs[each.first]; });
    if (texts.size() > 1 || some_lack_it) differing.insert(name);
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
  const auto differing = differing_settings(results);
  std::vector<std::string> labels;
  for (const auto& result : results) {
    std::string label = workload_of(result);
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
