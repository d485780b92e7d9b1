// pg-cluster init, alter.
#include <fmt/format.h>

#include <algorithm>

#include "core/local/cluster_admin.h"
#include "tools/pg-cluster/commands.h"

namespace pg {
namespace {

// "2=/mnt/disk2"
Result<BrokerMetadata> parse_log_directory(const std::string& value) {
  const auto equals = value.find('=');
  const auto id = equals == std::string::npos ? std::nullopt : parse_integer(std::string_view(value).substr(0, equals));
  if (!id || *id < 0 || *id >= kBrokersMax || equals + 1 == value.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("a log directory is written ID=DIR, as in 1=/mnt/disk1, not '{}'", value));
  }
  if (value[equals + 1] != '/')
    return fail(Errc::invalid_argument,
                fmt::format("the log directory must be an absolute path, not '{}'", value.substr(equals + 1)));
  return BrokerMetadata{BrokerId(static_cast<int32_t>(*id)), value.substr(equals + 1)};
}

}  // namespace

int cluster_init(const Arguments& arguments) {
  Tool tool("pg-cluster init");
  int64_t count = 0;
  std::vector<BrokerMetadata> directories;
  ConfigMap config;
  OptionTable table("pg-cluster init", "",
                    "Makes the home a cluster of N brokers, numbered from 0, or adds to those that it has.");
  table.count("--brokers", 1, count, "how many brokers (wanted)");
  table.option(
      "--log-dir", "ID=DIR",
      [&](const std::string& value) -> Result<> {
        PG_ASSIGN(const auto broker, parse_log_directory(value));
        for (const auto& other : directories) {
          if (other.id == broker.id)
            return fail(Errc::invalid_argument, fmt::format("given twice for broker {}", broker.id.value));
        }
        directories.push_back(broker);
        return {};
      },
      "the log directory of broker ID, on another disk perhaps (repeatable; default: in the home)");
  table.may_repeat();
  table.option(
      "-c,--config", "NAME=VALUE", [&](const std::string& value) { return add_cluster_config(config, value); },
      "set a config of the cluster (repeatable)");
  table.may_repeat();
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    if (count == 0) return fail(Errc::invalid_argument, "how many brokers are wanted: add --brokers N");
    if (count > kBrokersMax) return fail(Errc::invalid_argument, fmt::format("--brokers: at most {}", kBrokersMax));
    std::vector<BrokerMetadata> brokers;
    for (int32_t id = 0; id < count; ++id) brokers.push_back({BrokerId(id)});
    for (const auto& directory : directories) {
      if (directory.id.value >= count)
        return fail(Errc::invalid_argument, fmt::format("--log-dir: there will be no broker {}", directory.id.value));
      brokers[static_cast<size_t>(directory.id.value)] = directory;
    }
    PG_CHECK(tool.init_home(brokers, config));
    tool.detail(fmt::format("the cluster has {} brokers", count));
    return kExitDone;
  });
}

int cluster_alter(const Arguments& arguments) {
  Tool tool("pg-cluster alter");
  ConfigMap config;
  OptionTable table("pg-cluster alter", "",
                    "Changes configs of the cluster. Brokers that run obey them from their next start on, or before.");
  table.option(
      "-c,--config", "NAME=VALUE", [&](const std::string& value) { return add_cluster_config(config, value); },
      "set a config (repeatable)");
  table.may_repeat();
  tool.add_common_options(table, "");
  return tool.run(table, arguments, [&](const auto&) -> Result<ExitCode> {
    if (config.empty()) return fail(Errc::invalid_argument, "nothing to change: add -c NAME=VALUE");
    PG_ASSIGN(const auto home, tool.open_home());
    return home->alter_cluster(config).map([](const auto&) { return kExitDone; });
  });
}

}  // namespace pg
