#include "tools/pg-bench/report/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLargest = 1e18;  // so that what is computed of numbers is one too

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("no result of pg-bench: {}", what));
}

// nullptr: it is missing, or null.
const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> number_or_none(const Json& json) {
  if (!json.is_number() || json.get<double>() < 0 || json.get<double>() > kLargest) return {};
  return json.get<double>();
}

Result<double> to_number(const Json& json, std::string_view name) {
  if (const auto number = number_or_none(json)) return *number;
  return malformed(fmt::format("\"{}\" has to be a number from 0 to {:g}", name, kLargest));
}

Result<double> required_number(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value == nullptr ? malformed(fmt::format("\"{}\" is missing", name)) : to_number(*value, name);
}

Result<std::string> text_or_empty(const Json& object, const char* name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return malformed(fmt::format("\"{}\" has to be a string", name));
  return value->get<std::string>();
}

Result<Facts> facts_or_none(const Json& object, const char* name) {
  Facts facts;
  const Json* value = member(object, name);
  if (value == nullptr) return facts;
  if (!value->is_object()) return malformed(fmt::format("\"{}\" has to be an object", name));
  for (const auto& [fact, json] : value->items()) {
    facts.push_back({fact, json.is_string() ? json.get<std::string>() : json.dump(), number_or_none(json)});
  }
  return facts;
}

Result<> parse_histogram(const Json& json, ReportedRun& result) {
  const auto refuse = [] { return malformed("\"histogram\" has to be a list of [latency in ns, count]"); };
  if (!json.is_array()) return refuse();
  for (const auto& pair : json) {
    if (!pair.is_array() || pair.size() != 2) return refuse();
    const auto highest = to_number(pair[0], "histogram"), count = to_number(pair[1], "histogram");
    if (!highest || !count) return refuse();
    result.histogram.push_back({*highest, *count});
  }
  std::stable_sort(result.histogram.begin(), result.histogram.end(),
                   [](const auto& a, const auto& b) { return a.highest_ns < b.highest_ns; });
  return {};
}

Result<> parse_timeline(const Json& json, ReportedRun& result) {
  const auto refuse = [] {
    return malformed("\"timeline\" has to have an \"interval_ms\" from 1 on and a list of \"records\"");
  };
  if (!json.is_object()) return refuse();
  const auto interval = required_number(json, "interval_ms");
  const Json* records = member(json, "records");
  if (!interval || *interval < 1 || records == nullptr || !records->is_array()) return refuse();
  result.interval_ms = *interval;
  for (const auto& each : *records) {
    const auto count = to_number(each, "records");
    if (!count) return refuse();
    result.timeline.push_back(*count);
  }
  return {};
}

Result<ReportedRun> to_result(const Json& json) {
  if (!json.is_object()) return malformed("a result is an object");
  ReportedRun result;
  PG_ASSIGN(result.bench, text_or_empty(json, "bench"));
  if (result.bench.empty()) return malformed("\"bench\" is missing");
  PG_ASSIGN(result.subject, text_or_empty(json, "subject"));
  PG_ASSIGN(result.time, text_or_empty(json, "time"));
  PG_ASSIGN(result.version, text_or_empty(json, "version"));
  if (member(json, "records") != nullptr) {  // it has a throughput, and not only latencies
    PG_ASSIGN(result.records, required_number(json, "records"));
    PG_ASSIGN(result.bytes, required_number(json, "bytes"));
    PG_ASSIGN(result.seconds, required_number(json, "seconds"));
    PG_ASSIGN(result.records_per_second, required_number(json, "records_per_second"));
    PG_ASSIGN(result.bytes_per_second, required_number(json, "bytes_per_second"));
  }
  PG_ASSIGN(result.options, facts_or_none(json, "options"));
  PG_ASSIGN(result.latency, facts_or_none(json, "latency"));
  PG_ASSIGN(result.figures, facts_or_none(json, "figures"));
  PG_ASSIGN(result.machine, facts_or_none(json, "machine"));
  for (const auto& fact : result.latency) {
    if (fact.name == "until") result.latency_until = fact.text;
  }
  if (const Json* histogram = member(json, "histogram")) PG_CHECK(parse_histogram(*histogram, result));
  if (const Json* timeline = member(json, "timeline")) PG_CHECK(parse_timeline(*timeline, result));
  return result;
}

// Without the library's own prefix and its count of lines: "[json.exception.parse_error.101] parse error at line 1,
// column 5: …".
std::string reason_of(const Json::exception& error) {
  std::string_view what = error.what();
  for (const std::string_view prefix : {"] ", "parse error at line 1, "}) {
    if (const size_t at = what.find(prefix); at != std::string_view::npos) what.remove_prefix(at + prefix.size());
  }
  return std::string(what);
}

Result<ReportedRun> parse_result(std::string_view line) {
  try {
    return to_result(Json::parse(line));
  } catch (const Json::exception& error) {
    return malformed(reason_of(error));
  }
}

}  // namespace

std::optional<double> number_of(const Facts& facts, std::string_view name) {
  const auto found = std::find_if(facts.begin(), facts.end(), [&](const Fact& fact) { return fact.name == name; });
  return found == facts.end() ? std::nullopt : found->number;
}

Result<std::vector<ReportedRun>> parse_results(const std::string& file, std::string_view text) {
  std::vector<ReportedRun> results;
  int64_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto result = parse_result(line);
    if (!result)
      return fail(Errc::invalid_argument, fmt::format("'{}', line {}: {}", file, number, result.error().what));
    result->file = file;
    result->line = number;
    results.push_back(std::move(*result));
  }
  return results;
}

}  // namespace pg
