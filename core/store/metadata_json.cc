#include "core/store/metadata_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

// Format 1, no features: as ext4 does, a reader ignores unknown compatible features, a writer stops at unknown
// read-only-compatible ones, and everybody stops at unknown incompatible ones.
Json header() { return {{"format", kFormat}, {"compatible", 0}, {"read_only_compatible", 0}, {"incompatible", 0}}; }

Result<> check_header(const Json& json) {
  if (json.at("format").get<int>() != kFormat || json.at("incompatible").get<uint64_t>() != 0) {
    return fail(Errc::unsupported_version, "written by a newer version of pilgrimage");
  }
  return {};
}

bool is_read_only(const Json& json) { return json.at("read_only_compatible").get<uint64_t>() != 0; }

Json broker_list(const std::vector<BrokerId>& brokers) {
  Json list = Json::array();
  for (const BrokerId broker : brokers) list.push_back(broker.value);
  return list;
}

std::vector<BrokerId> parse_broker_list(const Json& json) {
  std::vector<BrokerId> brokers;
  for (const auto& broker : json) brokers.emplace_back(broker.get<int32_t>());
  return brokers;
}

Uuid parse_id(const Json& json) {
  const auto id = parse_uuid(json.get<std::string>());
  if (!id) throw std::runtime_error("malformed id");
  return *id;
}

// Runs `parse` on the JSON in `text`; what the library throws ends here.
template <class T, class Parse>
Result<T> parse_json(std::string_view text, Parse parse) {
  try {
    const Json json = Json::parse(text);
    PG_CHECK(check_header(json));
    return parse(json);
  } catch (const std::exception& e) {
    return fail(Errc::corrupt, fmt::format("metadata is malformed: {}", e.what()));
  }
}

}  // namespace

std::string write_cluster(const ClusterMetadata& cluster) {
  Json json = header();
  json["cluster_id"] = uuid_text(cluster.id);
  json["config"] = cluster.config;
  json["brokers"] = Json::array();
  for (const auto& broker : cluster.brokers) {
    Json described = {{"id", broker.id.value}};
    if (!broker.log_directory.empty()) described["log_dir"] = broker.log_directory;
    json["brokers"].push_back(described);
  }
  return json.dump(2) + "\n";
}

Result<ClusterMetadata> parse_cluster(std::string_view text) {
  return parse_json<ClusterMetadata>(text, [](const Json& json) {
    ClusterMetadata cluster;
    cluster.id = parse_id(json.at("cluster_id"));
    cluster.read_only = is_read_only(json);
    cluster.config = json.at("config").get<ConfigMap>();
    for (const auto& broker : json.at("brokers")) {
      cluster.brokers.push_back({BrokerId(broker.at("id").get<int32_t>()), broker.value("log_dir", "")});
    }
    return cluster;
  });
}

std::string write_topic(const TopicMetadata& topic) {
  Json json = header();
  json["topic"] = topic.name;
  json["topic_id"] = uuid_text(topic.id);
  json["config"] = topic.config;
  json["partitions"] = Json::array();
  for (const auto& partition : topic.partitions) {
    json["partitions"].push_back({{"replicas", broker_list(partition.replicas)},
                                  {"leader", partition.leader.value},
                                  {"leader_epoch", partition.leader_epoch.value},
                                  {"isr", broker_list(partition.in_sync)}});
    if (partition.previous_leader != kNoBroker)
      json["partitions"].back()["previous_leader"] = partition.previous_leader.value;
    if (partition.lossy_epoch.value >= 0) json["partitions"].back()["lossy_epoch"] = partition.lossy_epoch.value;
  }
  return json.dump() + "\n";
}

Result<TopicMetadata> parse_topic(std::string_view text) {
  return parse_json<TopicMetadata>(text, [](const Json& json) {
    TopicMetadata topic;
    topic.name = json.at("topic").get<std::string>();
    topic.id = parse_id(json.at("topic_id"));
    topic.read_only = is_read_only(json);
    topic.config = json.at("config").get<ConfigMap>();
    for (const auto& partition : json.at("partitions")) {
      topic.partitions.push_back(
          {parse_broker_list(partition.at("replicas")), BrokerId(partition.at("leader").get<int32_t>()),
           LeaderEpoch(partition.at("leader_epoch").get<int32_t>()), parse_broker_list(partition.at("isr")),
           BrokerId(partition.value("previous_leader", kNoBroker.value)),
           LeaderEpoch(partition.value("lossy_epoch", -1))});
    }
    return topic;
  });
}

}  // namespace pg
