#include "core/store/cluster_config.h"

#include "core/base/text.h"

namespace pg {
namespace {

using std::chrono::milliseconds;

template <auto Member>
void set_ms(ClusterConfig& config, std::string_view value) {
  config.*Member = milliseconds(parse_integer(value).value_or(0));
}

template <auto Member>
std::string show_ms(const ClusterConfig& config) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(config.*Member).count());
}

template <auto Member>
constexpr ConfigRow<ClusterConfig> ms(std::string_view name, int64_t least, int64_t most, std::string_view text) {
  return {name, ConfigValues::number(least, most), set_ms<Member>, show_ms<Member>, text};
}

constexpr ConfigRow<ClusterConfig> kRows[] = {
    {"auto.leader.rebalance.enable", ConfigValues::boolean(),
     [](ClusterConfig& config, std::string_view value) { config.rebalance_leaders = value == "true"; },
     [](const ClusterConfig& config) -> std::string { return config.rebalance_leaders ? "true" : "false"; },
     "Whether a preferred leader gets its partitions back by itself once it is in sync again."},
    ms<&ClusterConfig::heartbeat_interval>(
        "broker.heartbeat.interval.ms", 10, 10'000,
        "How often a broker counts up its heartbeat; at most half of *broker.session.timeout.ms*."),
    ms<&ClusterConfig::session_timeout>("broker.session.timeout.ms", 200, 600'000,
                                        "A broker whose heartbeat stands still for so long counts as hung."),
    ms<&ClusterConfig::replica_lag_max>(
        "replica.lag.time.max.ms", 200, 3'600'000,
        "A replica that has lacked what its leader has for so long counts as out of sync."),
};

constexpr ConfigTable<ClusterConfig> kTable(kRows, " of a cluster");

}  // namespace

Result<> add_cluster_config(ConfigMap& config, std::string_view assignment) { return kTable.add(config, assignment); }

std::vector<ConfigDescription> describe_cluster_configs() { return kTable.describe(); }

Result<ClusterConfig> to_cluster_config(const ConfigMap& config) {
  ClusterConfig cluster;
  PG_CHECK(kTable.set_all(cluster, config));
  // A broker that beats less often than others look would seem to hang.
  if (cluster.session_timeout < 2 * cluster.heartbeat_interval) {
    return fail(Errc::invalid_argument,
                "broker.session.timeout.ms must be at least twice broker.heartbeat.interval.ms");
  }
  return cluster;
}

}  // namespace pg
