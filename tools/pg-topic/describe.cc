// pg-topic describe, offsets.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "tools/common/run_tool.h"
#include "tools/pg-topic/commands.h"

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

std::string broker_list(const std::vector<BrokerId>& brokers) {
  std::string text;
  for (const BrokerId broker : brokers) text += fmt::format("{}{}", text.empty() ? "" : ",", broker.value);
  return text;
}

Json broker_array(const std::vector<BrokerId>& brokers) {
  Json list = Json::array();
  for (const BrokerId broker : brokers) list.push_back(broker.value);
  return list;
}

// Those that can be looked at.
std::vector<PartitionDescription> describe_all(const Tool& tool, const Home& home, const TopicMetadata& topic,
                                               Faults& faults) {
  std::vector<PartitionDescription> partitions;
  for (size_t p = 0; p < topic.partitions.size(); ++p) {
    auto partition = describe_partition(home, topic, PartitionId(static_cast<int32_t>(p)), tool.deadline());
    if (partition)
      partitions.push_back(std::move(*partition));
    else
      faults.add(partition.error());
  }
  return partitions;
}

std::string to_json(const TopicMetadata& topic, const std::vector<PartitionDescription>& partitions) {
  Json json = {{"topic", topic.name}, {"topic_id", uuid_text(topic.id)}, {"config", topic.config}};
  json["partitions"] = Json::array();
  for (const auto& p : partitions) {
    Json described = {{"partition", p.partition.value},
                      {"leader", p.metadata.leader.value},
                      {"leader_epoch", p.leader_epoch.value},
                      {"replicas", broker_array(p.metadata.replicas)},
                      {"isr", broker_array(p.metadata.in_sync)},
                      {"log_start_offset", p.log_start.value},
                      {"high_watermark", p.high_watermark.value},
                      {"log_end_offset", p.log_end.value},
                      {"flushed_offset", p.flushed.value},
                      {"segments", p.segments},
                      {"bytes", p.bytes}};
    if (p.last_stable < p.high_watermark) described["last_stable_offset"] = p.last_stable.value;
    json["partitions"].push_back(std::move(described));
  }
  return json.dump() + "\n";
}

std::string to_text(const TopicMetadata& topic, const std::vector<PartitionDescription>& partitions) {
  std::string text =
      fmt::format("topic {}  id {}  partitions {}\n", topic.name, uuid_text(topic.id), topic.partitions.size());
  for (const auto& [name, value] : topic.config) text += fmt::format("  config {}={}\n", name, value);
  for (const auto& p : partitions) {
    text += fmt::format(
        "  partition {}  leader {}  epoch {}  replicas {}  isr {}  start {}  written {}  flushed {}  "
        "committed {}{}  segments {}  bytes {}\n",
        p.partition.value, p.metadata.leader.value, p.leader_epoch.value, broker_list(p.metadata.replicas),
        broker_list(p.metadata.in_sync), p.log_start.value, p.log_end.value, p.flushed.value, p.high_watermark.value,
        p.last_stable < p.high_watermark ? fmt::format("  stable {}", p.last_stable.value) : "", p.segments, p.bytes);
  }
  return text;
}

}  // namespace

int topic_describe(const Arguments& arguments) {
  Tool tool("pg-topic describe");
  OptionTable table("pg-topic describe", "[TOPIC...]", "Describes each TOPIC, or every topic.");
  table.operands(0, std::numeric_limits<size_t>::max());
  tool.add_common_options(table, "print a line of JSON per topic");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto names, chosen_topics(*home, operands));
    Faults faults(tool);
    for (const auto& name : names) {
      const auto topic = describe_chosen(*home, name, !operands.empty(), faults);
      if (!topic) continue;
      const auto partitions = describe_all(tool, *home, *topic, faults);
      PG_CHECK(tool.print(tool.common().json ? to_json(*topic, partitions) : to_text(*topic, partitions)));
    }
    return faults.outcome();
  });
}

int topic_offsets(const Arguments& arguments) {
  Tool tool("pg-topic offsets");
  int64_t only = -1;
  OptionTable table("pg-topic offsets", "[TOPIC...]",
                    "Prints topic, partition, first offset and next offset, separated by tabs.");
  table.operands(0, std::numeric_limits<size_t>::max());
  table.count("-p,--partition", 0, only, "partition N only");
  tool.add_common_options(table, "print a line of JSON per partition");
  return tool.run(table, arguments, [&](const auto& operands) -> Result<ExitCode> {
    PG_ASSIGN(const auto home, tool.open_home());
    PG_ASSIGN(const auto names, chosen_topics(*home, operands));
    std::string out;
    Faults faults(tool);
    for (const auto& name : names) {
      const auto topic = describe_chosen(*home, name, !operands.empty(), faults);
      if (!topic) continue;
      PG_ASSIGN(const auto partitions,
                chosen_partitions(*topic, only, operands.empty() ? TopicNamed::no : TopicNamed::yes));
      for (const PartitionId partition : partitions) {
        const auto p = describe_partition(*home, *topic, partition, tool.deadline());
        if (!p) {
          faults.add(p.error());
          continue;
        }
        out += tool.common().json ? fmt::format("{{\"topic\":\"{}\",\"partition\":{},\"start\":{},\"end\":{}{}}}\n",
                                                name, partition.value, p->log_start.value, p->high_watermark.value,
                                                p->last_stable < p->high_watermark
                                                    ? fmt::format(",\"last_stable_offset\":{}", p->last_stable.value)
                                                    : "")
                                  : fmt::format("{}\t{}\t{}\t{}\n", name, partition.value, p->log_start.value,
                                                p->high_watermark.value);
      }
    }
    return tool.print(out).map([&] { return faults.outcome(); });
  });
}

}  // namespace pg
