// Which topics and partitions a command is for.
#include <fmt/format.h>

#include <algorithm>

#include "tools/pg-topic/commands.h"

namespace pg {

Result<std::vector<std::string>> chosen_topics(const Home& home, const Arguments& names) {
  if (!names.empty()) return names;
  return home.list_topics();
}

void Faults::add(const Error& error) {
  tool_.error(error.message());
  add(exit_code(error));
}

void Faults::add(ExitCode code) {
  if (outcome_ != kExitDamaged) outcome_ = code == kExitDamaged ? code : std::max(outcome_, code);
}

std::optional<TopicMetadata> describe_chosen(const Home& home, const std::string& name, bool named, Faults& faults) {
  auto topic = home.describe_topic(name);
  if (topic) return std::move(*topic);
  if (named || topic.error().code != Errc::not_found) faults.add(topic.error());
  return std::nullopt;
}

Result<std::vector<PartitionId>> chosen_partitions(const TopicMetadata& topic, int64_t only, TopicNamed named) {
  std::vector<PartitionId> chosen;
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) {
    if (only < 0 || p == only) chosen.emplace_back(p);
  }
  if (chosen.empty() && only >= 0 && named == TopicNamed::yes) {
    return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}", topic.name, only));
  }
  return chosen;
}

}  // namespace pg
