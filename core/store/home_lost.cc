// Home: topics whose metadata is lost. Every partition directory has the name and the id of its topic, so
// the metadata can be made again, except configs.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"
#include "core/store/home.h"
#include "core/store/log_table.h"
#include "core/store/metadata_json.h"

namespace pg {
namespace {

// An interrupted creation or deletion also leaves directories, but without records: nothing is lost with them.
bool has_records(FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  return entries && std::any_of(entries->begin(), entries->end(), [&](const auto& name) {
           if (!names::parse_log(name)) return false;
           const auto info = files.info(fmt::format("{}/{}", directory, name));
           return info && info->size_bytes > 0;
         });
}

bool names_it(const TopicMetadata& topic, const StrayPartition& found) {
  if (found.topic_id && *found.topic_id != topic.id) return false;
  if (topic.deleted) return true;  // the deletion has not removed it yet
  if (!topic.has(found.partition.partition)) return false;
  const auto& replicas = topic.partitions[static_cast<size_t>(found.partition.partition.value)].replicas;
  return std::find(replicas.begin(), replicas.end(), found.broker) != replicas.end();
}

}  // namespace

Result<std::vector<StrayPartition>> Home::partition_directories(const std::optional<std::string>& only) const {
  std::vector<StrayPartition> found;
  for (const BrokerId broker : broker_ids()) {
    const std::string logs = log_directory(broker);
    const auto entries = env_.files.list(logs);
    if (!entries && entries.error().code == Errc::not_found) continue;
    PG_CHECK(entries);
    for (const auto& name : *entries) {
      const auto partition = names::parse_partition_directory(name);
      if (!partition || (only && partition->topic != *only)) continue;
      StrayPartition each{fmt::format("{}/{}", logs, name), *partition, broker, {}};
      const auto text = env_.files.read_all(names::partition_metadata(each.directory));
      if (const auto id = text ? parse_partition_metadata(*text) : fail(Errc::not_found, ""); id) each.topic_id = *id;
      found.push_back(std::move(each));
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.partition, a.broker) < std::tie(b.partition, b.broker);
  });
  return found;
}

Result<std::vector<StrayPartition>> Home::stray_partitions(const std::optional<std::string>& only) const {
  if (!made_) return std::vector<StrayPartition>();
  PG_ASSIGN(auto found, partition_directories(only));
  std::map<std::string, Result<std::optional<TopicMetadata>>> topics;
  std::erase_if(found, [&](const StrayPartition& each) {
    const std::string& name = each.partition.topic;
    auto known = topics.find(name);
    if (known == topics.end()) known = topics.emplace(name, read_topic(name)).first;
    const auto& topic = known->second;
    if (!topic) return true;  // reported as a fault of that topic
    return (*topic && names_it(**topic, each)) || !has_records(env_.files, each.directory);
  });
  // Another process may have made the topic after its metadata was read. A topic gets its metadata before its first
  // record.
  std::erase_if(found, [&](const StrayPartition& each) {
    const auto topic = read_topic(each.partition.topic);
    return !topic || (*topic && names_it(**topic, each));
  });
  return found;
}

// For a name without metadata: a new topic must not be made over records that are left.
Result<> Home::check_not_lost(const std::string& name) const {
  PG_ASSIGN(const auto left, stray_partitions(name));
  if (left.empty()) return {};
  return fail(Errc::corrupt,
              fmt::format("the metadata of topic '{}' is lost, and records of it are in {}: see 'pg-topic repair'",
                          name, left.front().directory),
              names::versioned(topic_file(name).path(), 1));
}

// The newest readable version; without one, what the directories say.
Result<TopicMetadata> Home::last_readable(const std::string& name, const std::vector<StrayPartition>& left) const {
  const VersionedFile file = topic_file(name);
  PG_ASSIGN(const int64_t latest, file.latest_version());
  for (int64_t version = latest + 1; version > std::max<int64_t>(latest - 3, 1); --version) {
    const auto content = file.read_previous(version);
    const auto topic = content ? parse_topic(*content) : fail(Errc::not_found, "");
    const bool has_some =
        topic && std::any_of(left.begin(), left.end(), [&](const auto& each) { return each.topic_id == topic->id; });
    if (has_some) return topic;
  }
  TopicMetadata topic;
  topic.name = name;
  if (is_table(name)) topic.config = table_config();
  std::set<Uuid> ids;
  for (const auto& each : left) {
    if (each.topic_id) ids.insert(*each.topic_id);
  }
  if (ids.size() > 1) {
    return fail(Errc::conflict,
                fmt::format("there are partitions of {} topics that were named '{}': move away the directories of the "
                            "topics that are not wanted",
                            ids.size(), name),
                left.front().directory);
  }
  if (ids.empty())
    return fail(Errc::corrupt, fmt::format("no partition of topic '{}' has a partition.metadata", name),
                left.front().directory);
  topic.id = *ids.begin();
  return topic;
}

// Of several copies, the longest of those with the latest epoch has all committed records.
void Home::lead_by_longest(TopicMetadata& topic, PartitionId partition, const std::vector<StrayPartition>& left,
                           Deadline deadline) const {
  PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
  if (!metadata.is_replicated()) return;
  std::optional<std::pair<LeaderEpoch, Offset>> best;
  for (const auto& each : left) {
    if (each.partition.partition != partition || each.topic_id != topic.id) continue;
    PartitionLog::Spec spec = placed_replica(topic, partition, each.broker, {});
    spec.access = Access::read_only;
    const auto log = PartitionLog::open(env_, std::move(spec), deadline);
    if (!log) continue;
    const auto state = (*log)->current_state();
    const std::pair reach{state->leader_epoch(), state->position().log_end};
    metadata.leader_epoch = std::max(metadata.leader_epoch, reach.first);
    if (best && *best >= reach) continue;
    best = reach;
    metadata.leader = each.broker;
  }
  metadata.leader_epoch = LeaderEpoch(metadata.leader_epoch.value + 1);
  metadata.in_sync = {metadata.leader};
  metadata.previous_leader = kNoBroker;
}

Result<std::optional<RestoredTopic>> Home::restore_topic(const std::string& name, bool apply, Deadline deadline) {
  const auto now = describe_topic(name);
  if (now) return std::nullopt;
  const Errc why = now.error().code;
  if (why != Errc::corrupt && why != Errc::io) return tl::unexpected(now.error());
  PG_CHECK(check_writable());
  for (const BrokerId broker : broker_ids()) {
    if (broker_ids().size() > 1) PG_CHECK(check_log_directory(broker));  // a missing disk may have the longest copy
  }
  PG_ASSIGN(const auto left, partition_directories(name));
  if (left.empty())
    return fail(Errc::corrupt, fmt::format("{}; no partition of it is left", now.error().what), now.error().path);
  PG_ASSIGN(TopicMetadata topic, last_readable(name, left));
  topic.deleted = false;
  std::map<int32_t, std::vector<BrokerId>> holders;
  for (const auto& each : left) {
    if (each.topic_id == topic.id) holders[each.partition.partition.value].push_back(each.broker);
  }
  for (int32_t p = 0; p <= holders.rbegin()->first; ++p) {
    if (topic.has(PartitionId(p))) continue;
    const std::vector<BrokerId> replicas = holders.contains(p) ? holders[p] : std::vector{broker_ids().front()};
    topic.partitions.push_back({replicas, replicas.front(), LeaderEpoch(0), replicas});
  }
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p)
    lead_by_longest(topic, PartitionId(p), left, deadline);
  RestoredTopic restored{std::move(topic), now.error()};
  if (!apply) return restored;
  PG_CHECK(env_.files.make_directories_in(path_, parent_path(topic_file(name).path())));
  PG_ASSIGN(const int64_t latest, topic_version(name));
  restored.topic.version = latest + 1;
  PG_ASSIGN(const bool first, replace_topic(restored.topic));
  if (!first) return fail(Errc::busy, fmt::format("another process changes topic '{}'", name));
  return restored;
}

}  // namespace pg
