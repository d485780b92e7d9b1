#include "tools/pg-bench/result.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"
#include "core/os/machine_speed.h"

namespace pg {
namespace {

constexpr std::pair<const char*, double> kPercentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}};

double microseconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

// Four digits, with a unit that fits.
std::string time_text(int64_t nanoseconds) {
  const auto ns = static_cast<double>(nanoseconds);
  if (ns < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.2f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

double per_second(int64_t count, const Measurement& measured) {
  return measured.length() > Duration(0) ? static_cast<double>(count) / measured.seconds() : 0;
}

nlohmann::ordered_json machine_to_json(const MachineSpeed& machine) {
  return {{"processors", machine.processors},
          {"fdatasync_per_second", std::round(machine.syncs_per_second)},
          {"memory_bytes_per_second", std::round(machine.memory_bytes_per_second)},
          {"pipe_bytes_per_second", std::round(machine.pipe_bytes_per_second)}};
}

nlohmann::ordered_json result_to_json(const BenchResult& result, const Result<MachineSpeed>& machine, int64_t wall_ms) {
  const Measurement& measured = result.measured;
  nlohmann::ordered_json json{
      {"bench", result.bench}, {"time", rfc3339_utc(wall_ms)}, {"version", PG_VERSION}, {"options", result.options}};
  if (!result.subject.empty()) json["subject"] = result.subject;
  if (measured.records() > 0) {
    json.update({{"records", measured.records()},
                 {"bytes", measured.bytes()},
                 {"seconds", measured.seconds()},
                 {"records_per_second", std::round(per_second(measured.records(), measured))},
                 {"bytes_per_second", std::round(per_second(measured.bytes(), measured))}});
  }
  const Histogram& latency = measured.latency();
  if (latency.count() > 0) {
    auto& told = json["latency"] = {{"until", result.until}, {"count", latency.count()}};
    for (const auto& [name, percent] : kPercentiles)
      told[fmt::format("{}_us", name)] = microseconds(latency.percentile(percent));
    told["max_us"] = microseconds(latency.max());
    for (const auto& bucket : latency.buckets()) json["histogram"].push_back({bucket.highest, bucket.count});
  }
  if (!measured.timeline().empty()) {
    json["timeline"] = {{"interval_ms", std::chrono::round<std::chrono::milliseconds>(kTimelineInterval).count()},
                        {"records", measured.timeline()}};
  }
  if (!result.figures.empty()) json["figures"] = result.figures;
  if (machine) json["machine"] = machine_to_json(*machine);
  return json;
}

std::string result_to_text(const BenchResult& result) {
  const Measurement& measured = result.measured;
  std::string text =
      result.subject.empty() ? result.bench + "\n" : fmt::format("{}, {}\n", result.bench, result.subject);
  if (measured.records() > 0 && measured.length() > Duration(0)) {
    text +=
        fmt::format("  {} records in {:.2f} s: {:.0f} a second, {:.1f} MB/s\n", measured.records(), measured.seconds(),
                    per_second(measured.records(), measured), per_second(measured.bytes(), measured) / 1e6);
  }
  if (const Histogram& latency = measured.latency(); latency.count() > 0) {
    text += fmt::format("  until {}:", result.until);
    for (const auto& [name, percent] : kPercentiles)
      text += fmt::format(" {} {},", name, time_text(latency.percentile(percent)));
    text += fmt::format(" longest {}\n", time_text(latency.max()));
  }
  if (measured.records() == 0 && measured.latency().count() == 0) text += "  there was nothing to measure\n";
  for (const auto& [name, value] : result.figures.items()) text += fmt::format("  {}: {}\n", name, value.dump());
  return text;
}

std::string machine_to_text(const MachineSpeed& machine) {
  return fmt::format(
      "this machine, now: {:.0f} fdatasync a second, {:.1f} GB/s from memory to memory, {:.1f} GB/s through a pipe\n",
      machine.syncs_per_second, machine.memory_bytes_per_second / 1e9, machine.pipe_bytes_per_second / 1e9);
}

}  // namespace

Result<> print_results(const Tool& tool, const Home& home, const std::vector<BenchResult>& results) {
  // A result is not thrown away because its home cannot be written to.
  const auto machine = measure_machine(home.env(), home.path());
  if (!machine) tool.note("the machine itself could not be measured: " + machine.error().message());
  std::string text;
  for (const auto& result : results) {
    text += tool.common().json ? result_to_json(result, machine, home.env().clock.wall_ms()).dump() + "\n"
                               : result_to_text(result);
  }
  if (machine && !tool.common().json) text += machine_to_text(*machine);
  return tool.print(text);
}

}  // namespace pg
