// Home's topics: their metadata, and the directories of their partitions on the brokers' disks.
#include <fmt/format.h>

#include <algorithm>

#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/store/home.h"
#include "core/store/metadata_json.h"
#include "core/store/placement.h"

namespace pg {
namespace {

Error at_path(Error error, const std::string& path) {
  if (error.path.empty()) error.path = path;
  return error;
}

}  // namespace

VersionedFile Home::topic_file(const std::string& name) const { return {env_, names::topic_file(path_, name)}; }

Result<std::optional<TopicMetadata>> Home::read_topic(const std::string& name, Reading reading) const {
  PG_CHECK(names::check_topic(name));
  const VersionedFile file = topic_file(name);
  if (!made_) PG_CHECK(describe_cluster());  // another process may have made the home meanwhile
  const std::string folder = parent_path(file.path());
  if (const auto info = env_.files.info(folder); info && !info->is_directory)
    return tl::unexpected(wrong_kind(info->kind, FileKind::directory, folder));
  PG_ASSIGN(auto stored, file.read());
  if (!stored) return std::nullopt;
  // An empty version says that the topic of the version before it was deleted.
  const bool deleted = stored->content.empty();
  const int64_t described = stored->version - (deleted ? 1 : 0);
  const auto is_empty = [&] {
    return fail(Errc::corrupt, fmt::format("the metadata of topic '{}' is empty: see 'pg-topic repair'", name),
                names::versioned(file.path(), stored->version));
  };
  auto content = deleted ? file.read_previous(stored->version) : Result<std::string>(std::move(stored->content));
  if (!content && content.error().code == Errc::not_found) return is_empty();
  PG_CHECK(content);
  auto topic = parse_topic(*content);
  if (!topic) {
    Error error = at_path(topic.error(), names::versioned(file.path(), described));
    if (error.code == Errc::corrupt) error.what += ": see 'pg-topic repair'";
    return tl::unexpected(std::move(error));
  }
  topic->deleted = deleted;
  topic->version = stored->version;
  // Earlier versions of this program left no mark, and after a deletion no directories.
  const bool is_doubtful =
      deleted && reading == Reading::to_use && !env_.files.info(names::deletion_mark(file.path(), stored->version));
  if (is_doubtful && has_directory(*topic)) return is_empty();
  return std::move(*topic);
}

// Whether the topic was not deleted completely: a deletion removes the first replica of partition 0 last.
bool Home::has_directory(const TopicMetadata& topic) const {
  const std::string first = names::partition_directory(log_directory(topic.partitions.front().replicas.front()),
                                                       {topic.name, PartitionId(0)});
  const auto text = env_.files.read_all(names::partition_metadata(first));
  return text && parse_partition_metadata(*text) == topic.id;
}

Result<std::vector<std::string>> Home::list_topic_folders() const {
  if (!made_) PG_CHECK(describe_cluster());
  if (!made_) return std::vector<std::string>();
  auto entries = env_.files.list(names::topics_directory(path_));
  if (!entries && entries.error().code == Errc::not_found) {
    return fail(Errc::corrupt,
                "the metadata of all topics is lost: 'pg-topic repair TOPIC' makes that of TOPIC again from what the "
                "log directories say",
                names::topics_directory(path_));
  }
  PG_CHECK(entries);
  std::erase_if(*entries, [](const auto& name) { return !names::check_topic(name); });
  return entries;
}

Result<std::vector<std::string>> Home::list_topics(const Damaged& damaged) const {
  PG_ASSIGN(const auto entries, list_topic_folders());
  std::vector<std::string> topics;
  for (const auto& name : entries) {
    const auto stored = read_topic(name);
    if (!stored && damaged) damaged(stored.error());
    if (!stored || (*stored && !(*stored)->deleted)) topics.push_back(name);
  }
  std::sort(topics.begin(), topics.end());
  return topics;
}

Result<TopicMetadata> Home::describe_topic(const std::string& name) const {
  PG_ASSIGN(auto stored, read_topic(name));
  if (stored && !stored->deleted) return std::move(*stored);
  if (!stored) {
    PG_CHECK(describe_cluster());  // without its home a topic may exist all the same
    PG_CHECK(check_not_lost(name));
  }
  return fail(Errc::not_found, fmt::format("topic '{}' does not exist", name));
}

// New partitions up to `partitions` of them.
void Home::place(TopicMetadata& topic, int32_t partitions, int32_t replication_factor) const {
  const auto brokers = broker_ids();
  for (auto p = static_cast<int32_t>(topic.partitions.size()); p < partitions; ++p) {
    const auto replicas = place_replicas(topic.name, p, replication_factor, brokers);
    topic.partitions.push_back({replicas, replicas.front(), LeaderEpoch(0), replicas});
  }
}

void Home::remove_leftovers() const {
  for (const BrokerId broker : broker_ids()) LogDirectory(env_, log_directory(broker)).remove_leftovers();
}

void Home::keep_reserve() const {
  for (const BrokerId broker : broker_ids()) LogDirectory(env_, log_directory(broker)).keep_reserve();
}

// A change of a topic's metadata may be what lets records be deleted or a leader be elected, so it may use the reserve.
Result<bool> Home::swap_with_reserve(VersionedFile file, int64_t current, std::string_view content) const {
  for (;;) {
    auto first = file.compare_and_swap(current, content);
    const bool full = !first && first.error().code == Errc::no_space;
    const auto brokers = full ? broker_ids() : std::vector<BrokerId>();
    const bool given = std::any_of(brokers.begin(), brokers.end(), [this](BrokerId broker) {
      return LogDirectory(env_, log_directory(broker)).release_reserve();
    });
    if (!given) return first;
  }
}

// On every disk that is there. One that is not has to be told when it comes back: see Broker.
Result<> Home::forget_topic(const std::string& name, Deadline deadline) const {
  for (const BrokerId broker : broker_ids()) {
    if (broker_ids().size() > 1 && !check_log_directory(broker)) continue;
    PG_CHECK(LogDirectory(env_, log_directory(broker)).forget_topic(name, deadline));
  }
  return {};
}

Result<> Home::check_replication_factor(int32_t replicas) const {
  const size_t brokers = broker_ids().size();
  if (replicas >= 1 && std::cmp_less_equal(replicas, brokers) && replicas <= kReplicasMax) return {};
  if (replicas > kReplicasMax)
    return fail(Errc::invalid_argument, fmt::format("replication factor {}: at most {}", replicas, kReplicasMax));
  return fail(Errc::invalid_argument, fmt::format("replication factor {}: the cluster has {} broker{}", replicas,
                                                  brokers, brokers == 1 ? "" : "s"));
}

Result<TopicMetadata> Home::create_topic(const std::string& name, int32_t partitions, const ConfigMap& config,
                                         Deadline deadline, std::optional<int32_t> replication_factor) {
  if (partitions < 1 || partitions > kPartitionsMax) {
    return fail(Errc::invalid_argument,
                fmt::format("a topic has 1 to {} partitions, not {}", kPartitionsMax, partitions));
  }
  PG_CHECK(names::check_topic(name));
  PG_CHECK(check_writable());
  PG_CHECK(to_log_config(config));
  const auto brokers = static_cast<int32_t>(broker_ids().size());
  const int32_t replicas = replication_factor.value_or(std::min(brokers, kReplicationFactorDefault));
  PG_CHECK(check_replication_factor(replicas));
  PG_CHECK(make());
  TopicMetadata topic{name, env_.random.uuid(), config, {}};
  place(topic, partitions, replicas);
  remove_leftovers();
  for (;;) {
    PG_ASSIGN(const auto stored, read_topic(name));
    if (stored && !stored->deleted) {
      if (stored->id == topic.id && stored->partitions.size() == topic.partitions.size()) return *stored;
      return fail(Errc::already_exists, fmt::format("topic '{}' exists already", name));
    }
    if (stored) PG_CHECK(remove_partitions(*stored, deadline));
    PG_CHECK(check_not_lost(name));
    PG_CHECK(forget_topic(name, deadline));
    PG_CHECK(make_partitions(topic, 0, deadline));
    PG_CHECK(env_.files.make_directories_in(path_, parent_path(names::topic_file(path_, name))));
    topic.version = (stored ? stored->version : 0) + 1;
    // Not from the reserve: a new topic takes space.
    PG_ASSIGN(const bool first, topic_file(name).compare_and_swap(topic.version - 1, write_topic(topic)));
    if (!first) continue;
    announce_metadata();
    if (stored) (void)env_.files.unlink(names::deletion_mark(topic_file(name).path(), stored->version));
    keep_reserve();
    return topic;
  }
}

// The directories of the partitions from `first` on. That of partition 0, on the disk of its first replica, decides
// whose topic it is: whoever finds one there goes on with its id, be its maker alive or dead.
Result<> Home::make_partitions(TopicMetadata& topic, int32_t first, Deadline deadline) {
  for (auto p = first; std::cmp_less(p, topic.partitions.size()); ++p) {
    const std::vector<BrokerId> replicas = topic.partitions[static_cast<size_t>(p)].replicas;
    for (const BrokerId replica : replicas) {
      const bool decides = p == 0 && replica == replicas.front();
      PG_CHECK(make_replica(topic, PartitionId(p), replica, decides ? ReplicaMaking::first : ReplicaMaking::other,
                            deadline));
    }
  }
  return {};
}

Result<> Home::make_replica(TopicMetadata& topic, PartitionId partition, BrokerId replica, ReplicaMaking making,
                            Deadline deadline) const {
  const std::string logs = log_directory(replica);
  const bool replicated = topic.partitions[static_cast<size_t>(partition.value)].is_replicated();
  if (replicated) PG_CHECK(check_log_directory(replica));
  const bool again = making == ReplicaMaking::again;
  // What was known of the lost one must not be taken for what is known of this.
  if (again) PG_CHECK(LogDirectory(env_, logs).restart_at({topic.name, partition}, Offset(0), deadline));
  const auto create = [&] {
    return PartitionLog::create(env_, logs, {topic.name, partition}, topic.id, {replicated, again});
  };
  PG_ASSIGN(Uuid decided, create());
  if (making == ReplicaMaking::first) topic.id = decided;
  while (decided != topic.id) {
    // Left by somebody who died before the topic had a name: nobody can have written to it.
    const auto removed = PartitionLog::remove(env_, {logs, {topic.name, partition}, decided}, deadline);
    if (!removed && removed.error().code != Errc::not_found) return tl::unexpected(removed.error());
    PG_ASSIGN(decided, create());
  }
  return {};
}

Result<bool> Home::replace_topic(const TopicMetadata& changed) const {
  PG_ASSIGN(const bool first, swap_with_reserve(topic_file(changed.name), changed.version - 1, write_topic(changed)));
  if (first) announce_metadata();
  return first;
}

Result<int64_t> Home::topic_version(const std::string& name) const { return topic_file(name).latest_version(); }

Result<TopicMetadata> Home::alter_topic(const std::string& name, const TopicChange& change, Deadline deadline) {
  PG_CHECK(check_writable());
  for (;;) {
    PG_ASSIGN(const TopicMetadata before, describe_topic(name));
    if (before.read_only)
      return fail(Errc::unsupported_version, fmt::format("topic '{}' was made by a newer version", name));
    TopicMetadata topic = before;
    for (const auto& config : change.unset) topic.config.erase(config);
    for (const auto& [config, value] : change.set) topic.config[config] = value;
    PG_CHECK(to_log_config(topic.config));
    const auto had = static_cast<int32_t>(before.partitions.size()), wanted = change.partitions.value_or(had);
    if (wanted < had || wanted > kPartitionsMax) {
      return fail(Errc::invalid_argument,
                  fmt::format("topic '{}' has {} partitions: it can have more, up to {}, but never fewer", name, had,
                              kPartitionsMax));
    }
    if (topic.config == before.config && wanted == had) return before;
    place(topic, wanted, static_cast<int32_t>(before.partitions.front().replicas.size()));
    PG_CHECK(make_partitions(topic, had, deadline));
    topic.version = before.version + 1;
    PG_ASSIGN(const bool first, replace_topic(topic));
    if (!first) continue;  // what is decided again finds that it was done, if it was
    announce(topic, deadline);
    keep_reserve();
    return topic;
  }
}

// Whoever is not told notices at its next roll.
void Home::announce(const TopicMetadata& topic, Deadline deadline) const {
  for (int32_t p = 0; std::cmp_less(p, topic.partitions.size()); ++p) {
    for (const BrokerId replica : topic.partitions[static_cast<size_t>(p)].replicas) {
      auto spec = replica_spec(topic, PartitionId(p), replica, Access::read_write);
      if (!spec) continue;
      const auto log = PartitionLog::open(env_, std::move(*spec), deadline);
      if (log && (*log)->current_state()->access() == Access::read_write)
        (*log)->announce_config(*(*log)->current_state(), topic.version);
    }
  }
}

Result<> Home::check_deletable(const std::string& name) const {
  PG_ASSIGN(const auto stored, read_topic(name, Reading::to_delete));
  if (stored && (!stored->deleted || has_directory(*stored))) return {};
  PG_CHECK(check_not_lost(name));
  return fail(Errc::not_found, fmt::format("topic '{}' does not exist", name));
}

Result<> Home::delete_topic(const std::string& name, Deadline deadline) {
  PG_CHECK(check_writable());
  remove_leftovers();
  for (;;) {
    PG_ASSIGN(const auto stored, read_topic(name, Reading::to_delete));
    if (!stored) {
      PG_CHECK(check_not_lost(name));
      return fail(Errc::not_found, fmt::format("topic '{}' does not exist", name));
    }
    const TopicMetadata& topic = *stored;
    if (topic.deleted) {
      // Another process may have died while it deleted this topic; its partitions are then still there.
      const BrokerId last = topic.partitions.front().replicas.front();
      const std::string first = names::partition_directory(log_directory(last), {name, PartitionId(0)});
      PG_ASSIGN(const bool is_left, env_.files.exists(first));
      if (!is_left) {
        return fail(Errc::not_found, fmt::format("topic '{}' does not exist", name));
      }
      return remove_partitions(topic, deadline);
    }
    // The mark must be on the disk before the empty version. Without room for it the deletion goes on nevertheless.
    const std::string mark = names::deletion_mark(topic_file(name).path(), stored->version + 1);
    if (env_.files.open(mark, OpenMode::create)) PG_CHECK(env_.files.sync_directory(parent_path(mark)));
    PG_ASSIGN(const bool first, swap_with_reserve(topic_file(name), stored->version, ""));
    if (!first) continue;
    announce_metadata();
    PG_CHECK(remove_partitions(topic, deadline));
    keep_reserve();
    return {};
  }
}

Result<> Home::remove_partitions(const TopicMetadata& topic, Deadline deadline) const {
  // From the last to the first: as long as the first replica of partition 0 is there, the work is not done.
  for (auto p = static_cast<int32_t>(topic.partitions.size()); p-- > 0;) {
    const auto& replicas = topic.partitions[static_cast<size_t>(p)].replicas;
    for (auto replica = replicas.rbegin(); replica != replicas.rend(); ++replica) {
      if (replicas.size() > 1 && !check_log_directory(*replica)) continue;  // its broker does it when the disk is back
      const auto removed = PartitionLog::remove(env_, placed_replica(topic, PartitionId(p), *replica, {}), deadline);
      if (!removed && removed.error().code != Errc::not_found) return removed;
    }
  }
  return forget_topic(topic.name, deadline);
}

Result<PartitionLog::Spec> Home::partition_spec(const TopicMetadata& topic, PartitionId partition,
                                                Access access) const {
  const BrokerId leader =
      topic.has(partition) ? topic.partitions[static_cast<size_t>(partition.value)].leader : kNoBroker;
  return replica_spec(topic, partition, leader, access);
}

Result<PartitionLog::Spec> Home::replica_spec(const TopicMetadata& topic, PartitionId partition, BrokerId replica,
                                              Access access) const {
  if (!topic.has(partition)) {
    return fail(Errc::not_found, fmt::format("topic '{}' has no partition {}: it has {}", topic.name, partition.value,
                                             topic.partitions.size()));
  }
  PG_ASSIGN(const LogConfig config, to_log_config(topic.config));
  PartitionLog::Spec spec = placed_replica(topic, partition, replica, config);
  spec.config_version = topic.version;
  spec.read_config = [file = topic_file(topic.name), id = topic.id]() -> Result<VersionedConfig> {
    PG_ASSIGN(const auto stored, file.read());
    auto now =
        stored && !stored->content.empty() ? parse_topic(stored->content) : Result<TopicMetadata>(TopicMetadata{});
    PG_CHECK(now);
    if (now->id != id) return fail(Errc::not_found, "the topic was deleted");
    PG_ASSIGN(const LogConfig read, to_log_config(now->config));
    return VersionedConfig{read, stored->version};
  };
  spec.access = topic.read_only || read_only_ ? Access::read_only : access;
  return spec;
}

Result<std::unique_ptr<PartitionLog>> Home::open_partition(const TopicMetadata& topic, PartitionId partition,
                                                           Access access, Deadline deadline) const {
  PG_ASSIGN(PartitionLog::Spec spec, partition_spec(topic, partition, access));
  auto log = PartitionLog::open(env_, std::move(spec), deadline);
  if (!log && log.error().code == Errc::not_found) {
    // Named by the topic's metadata and not there: lost, unless the topic was deleted meanwhile.
    const auto now = describe_topic(topic.name);
    const char* const advice = topic.partitions[static_cast<size_t>(partition.value)].is_replicated()
                                   ? "; see 'pg-cluster status'"
                                   : "; see 'pg-topic repair'";
    if (now && now->id == topic.id) return fail(Errc::corrupt, log.error().what + advice, log.error().path);
    return fail(Errc::not_found, fmt::format("topic '{}' was deleted", topic.name));
  }
  return log;
}

PartitionLog::Spec Home::placed_replica(const TopicMetadata& topic, PartitionId partition, BrokerId replica,
                                        const LogConfig& config) const {
  PartitionLog::Spec spec{log_directory(replica), {topic.name, partition}, topic.id, config};
  spec.replicated = topic.partitions[static_cast<size_t>(partition.value)].is_replicated();
  if (spec.replicated) spec.is_broker_alive = [this, replica] { return is_broker_alive(replica); };
  return spec;
}

}  // namespace pg
