#include "core/store/cluster_config.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("cluster_config: defaults") {
  const ClusterConfig config = must(to_cluster_config({}));
  CHECK(config.session_timeout == 2s);
  CHECK(config.heartbeat_interval == 100ms);
  CHECK(config.replica_lag_max == 10s);
  CHECK(config.rebalance_leaders);
}

TEST_CASE("cluster_config: each config, its limits and what it sets") {
  const struct {
    const char* assignment;
    bool (*is_set)(const ClusterConfig&);
  } good[] = {
      {"broker.session.timeout.ms=200", [](const ClusterConfig& c) { return c.session_timeout == 200ms; }},
      {"broker.session.timeout.ms=600000", [](const ClusterConfig& c) { return c.session_timeout == 600s; }},
      {"broker.heartbeat.interval.ms=10", [](const ClusterConfig& c) { return c.heartbeat_interval == 10ms; }},
      {"broker.heartbeat.interval.ms=1000", [](const ClusterConfig& c) { return c.heartbeat_interval == 1s; }},
      {"replica.lag.time.max.ms=200", [](const ClusterConfig& c) { return c.replica_lag_max == 200ms; }},
      {"replica.lag.time.max.ms=3600000", [](const ClusterConfig& c) { return c.replica_lag_max == 1h; }},
      {"auto.leader.rebalance.enable=false", [](const ClusterConfig& c) { return !c.rebalance_leaders; }},
      {"auto.leader.rebalance.enable=true", [](const ClusterConfig& c) { return c.rebalance_leaders; }},
  };
  for (const auto& row : good) {
    CAPTURE(row.assignment);
    ConfigMap config;
    must(add_cluster_config(config, row.assignment));
    CHECK(config.size() == 1);
    CHECK(row.is_set(must(to_cluster_config(config))));
  }
}

TEST_CASE("cluster_config: what is refused, and says why") {
  const std::pair<const char*, const char*> bad[] = {
      {"broker.session.timeout.ms", "a config is written name=value, not 'broker.session.timeout.ms'"},
      {"broker.session.timeout.ms=199",
       "config broker.session.timeout.ms must be a number from 200 to 600000, not '199'"},
      {"broker.session.timeout.ms=600001",
       "config broker.session.timeout.ms must be a number from 200 to 600000, not '600001'"},
      {"broker.heartbeat.interval.ms=9",
       "config broker.heartbeat.interval.ms must be a number from 10 to 10000, not '9'"},
      {"replica.lag.time.max.ms=1s", "config replica.lag.time.max.ms must be a number from 200 to 3600000, not '1s'"},
      {"auto.leader.rebalance.enable=1", "config auto.leader.rebalance.enable must be true or false, not '1'"},
      {"auto.leader.rebalance.enable=", "config auto.leader.rebalance.enable must be true or false, not ''"},
      {"segment.bytes=1024",
       "unknown config 'segment.bytes' of a cluster; known are auto.leader.rebalance.enable, "
       "broker.heartbeat.interval.ms, "
       "broker.session.timeout.ms, replica.lag.time.max.ms"},
  };
  for (const auto& [assignment, message] : bad) {
    ConfigMap config;
    const auto added = add_cluster_config(config, assignment);
    REQUIRE(code_of(added) == Errc::invalid_argument);
    CHECK(added.error().what == message);
    CHECK(config.empty());
  }
}

TEST_CASE("cluster_config: a broker must beat at least twice within a session") {
  CHECK(to_cluster_config({{"broker.session.timeout.ms", "200"}, {"broker.heartbeat.interval.ms", "100"}}));
  const auto refused =
      to_cluster_config({{"broker.session.timeout.ms", "200"}, {"broker.heartbeat.interval.ms", "101"}});
  REQUIRE(code_of(refused) == Errc::invalid_argument);
  CHECK(refused.error().what == "broker.session.timeout.ms must be at least twice broker.heartbeat.interval.ms");
  CHECK(code_of(to_cluster_config({{"broker.heartbeat.interval.ms", "1001"}})) == Errc::invalid_argument);
}

TEST_CASE("cluster_config: each default that is described is the one that counts, and can be set") {
  for (const ConfigDescription& described : describe_cluster_configs()) {
    CAPTURE(described.name);
    ConfigMap config;
    must(add_cluster_config(config, described.name + "=" + described.default_value));
    CHECK(must(to_cluster_config(config)) == ClusterConfig{});
  }
}
