#include "core/store/cluster_config.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace pg {
namespace {

struct ConfigRow {
  std::string_view name;
  int64_t least, most, standard;  // 0, 1: false and true
  void (*apply)(ClusterConfig&, int64_t value);
};

template <auto Member>
void set_ms(ClusterConfig& config, int64_t value) {
  config.*Member = std::chrono::milliseconds(value);
}

constexpr ConfigRow kTable[] = {
    {"auto.leader.rebalance.enable", 0, 1, 1,
     [](ClusterConfig& config, int64_t value) { config.rebalance_leaders = value != 0; }},
    {"broker.heartbeat.interval.ms", 10, 10'000, 100, set_ms<&ClusterConfig::heartbeat_interval>},
    {"broker.session.timeout.ms", 200, 600'000, 2000, set_ms<&ClusterConfig::session_timeout>},
    {"replica.lag.time.max.ms", 200, 3'600'000, 10'000, set_ms<&ClusterConfig::replica_lag_max>},
};

std::string known_names() {
  std::string names;
  for (const auto& row : kTable) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

Result<int64_t> parse_value(const ConfigRow& row, std::string_view value) {
  const bool is_switch = row.most == 1;
  if (is_switch && (value == "true" || value == "false")) return value == "true" ? 1 : 0;
  const auto number = is_switch ? std::nullopt : parse_integer(value);
  if (number && *number >= row.least && *number <= row.most) return *number;
  const std::string what = is_switch ? "true or false" : fmt::format("a number from {} to {}", row.least, row.most);
  return fail(Errc::invalid_argument, fmt::format("config {} must be {}, not '{}'", row.name, what, value));
}

Result<> apply(ClusterConfig& config, std::string_view name, std::string_view value) {
  for (const auto& row : kTable) {
    if (row.name != name) continue;
    PG_ASSIGN(const int64_t number, parse_value(row, value));
    row.apply(config, number);
    return {};
  }
  return fail(Errc::invalid_argument,
              fmt::format("unknown config '{}' of a cluster; known are {}", name, known_names()));
}

}  // namespace

Result<> add_cluster_config(ConfigMap& config, std::string_view assignment) {
  PG_ASSIGN(const auto parts, split_config(assignment));
  ClusterConfig checked{};
  PG_CHECK(apply(checked, parts.first, parts.second));
  if (config.emplace(parts.first, parts.second).second) return {};
  return fail(Errc::invalid_argument, fmt::format("config {} is given twice", parts.first));
}

Result<ClusterConfig> to_cluster_config(const ConfigMap& config) {
  ClusterConfig cluster{};
  for (const auto& row : kTable) row.apply(cluster, row.standard);
  for (const auto& [name, value] : config) PG_CHECK(apply(cluster, name, value));
  // A heart that is looked at less often than it beats would seem to stand still.
  if (cluster.session_timeout < 2 * cluster.heartbeat_interval) {
    return fail(Errc::invalid_argument,
                "broker.session.timeout.ms must be at least twice broker.heartbeat.interval.ms");
  }
  return cluster;
}

}  // namespace pg
