// One home directory: the cluster it is, its brokers (home.cc) and its topics (home_topics.cc). If there is none, the
// first call that stores something makes a cluster of one broker, whose log directory lies inside; home_guard.h says
// where it refuses to.
//
// Topics are decided without locks. The directory of partition 0 decides which of two creators was first, and the
// topic's metadata names only partitions whose directories exist. Deleting adds an empty version, which takes no space
// on a full disk, and then removes the partitions; whoever meets such a topic with partitions left finishes the work.
// Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/os/env.h"
#include "core/store/cluster_metadata.h"
#include "core/store/cluster_state.h"
#include "core/store/home_guard.h"
#include "core/store/topic_config.h"
#include "core/store/versioned_file.h"

namespace pg {

struct PartitionMetadata {
  std::vector<BrokerId> replicas;  // the first one is preferred as the leader
  BrokerId leader;
  LeaderEpoch leader_epoch;
  std::vector<BrokerId> in_sync;
  BrokerId previous_leader = kNoBroker;  // whose log may have had more than the leader's when that was elected
  LeaderEpoch lossy_epoch{-1};           // opened by a leader that may lack committed records; -1: none was
  bool is_replicated() const { return replicas.size() > 1; }
  bool operator==(const PartitionMetadata&) const = default;
};

struct TopicMetadata {
  std::string name;
  Uuid id{};
  ConfigMap config;
  std::vector<PartitionMetadata> partitions;
  int64_t version = 0;  // of the metadata: grows with each change
  bool deleted = false;
  bool read_only = false;  // a newer version has added what this one must not write to

  bool has(PartitionId partition) const {
    return partition.value >= 0 && std::cmp_less(partition.value, partitions.size());
  }
};

// What alter_topic changes.
struct TopicChange {
  ConfigMap set = {};
  std::vector<std::string> unset = {};     // configs that get their defaults again
  std::optional<int32_t> partitions = {};  // how many there are to be; never fewer
};

// A directory of a partition that no topic's metadata names.
struct StrayPartition {
  std::string directory;
  TopicPartition partition;
  BrokerId broker;
  std::optional<Uuid> topic_id;  // empty: the directory does not say
};

struct RestoredTopic {
  TopicMetadata topic;
  Error fault;  // what was wrong
};

// What a new replica is: the one that decides whose topic it is, another one, or one in the place of one that was lost.
enum class ReplicaMaking { first, other, again };

class Home {
 public:
  // Makes nothing yet. Errors: not_found (there is no home, and `if_none` says that none is to be made), io (not
  // writable, not on a local file system, or a home has vanished), invalid_argument (a log directory), corrupt,
  // unsupported_version.
  static Result<std::unique_ptr<Home>> open(const Env& env, const std::string& path, const IfNoHome& if_none = {});

  // Makes the home if it does not exist. If that fails, it leaves nothing behind.
  Result<> make();
  bool is_made() const { return made_; }

  // Makes a cluster of `brokers`, or adds the new ones to an existing cluster, with empty log directories. If the
  // metadata is lost, makes it again from what the log directories say. Errors: invalid_argument, already_exists (a log
  // directory of another broker or cluster, or one that is no longer named).
  static Result<> init(const Env& env, const std::string& path, const std::vector<BrokerMetadata>& brokers,
                       const ConfigMap& config, const std::string& base = {});

  const std::string& path() const { return path_; }
  const Env& env() const { return env_; }

  // As it is now.
  Result<ClusterMetadata> describe_cluster() const;
  Result<ClusterMetadata> alter_cluster(const ConfigMap& set) const;
  std::vector<BrokerId> broker_ids() const;
  // not_found names those that there are.
  Result<BrokerMetadata> find_broker(BrokerId broker) const;
  // Whether its log directory is this cluster's and this broker's: not_found where it is missing (a disk that is not
  // mounted?), already_exists where it is another's.
  Result<> check_log_directory(BrokerId broker) const;
  // Whether a process runs as this broker.
  Result<bool> is_broker_alive(BrokerId broker) const;

  // Names of the topics there are, sorted. Internal ones begin with "_". Topics whose metadata cannot be read are among
  // them, and `damaged` is called for each.
  using Damaged = std::function<void(const Error&)>;
  Result<std::vector<std::string>> list_topics(const Damaged& damaged = {}) const;

  // The same with those that were deleted, without reading any metadata.
  Result<std::vector<std::string>> list_topic_folders() const;

  // Errors: invalid_argument (the name), not_found, corrupt (lost or damaged: restore_topic()).
  Result<TopicMetadata> describe_topic(const std::string& name) const;

  // Partition directories that hold records and that no topic's metadata names: of all topics, or of one name.
  Result<std::vector<StrayPartition>> stray_partitions(const std::optional<std::string>& only = {}) const;

  // For a topic whose metadata is lost or damaged: what it was, by older versions and by the log directories. With
  // `apply` stores it. Empty: nothing is wrong with it. Errors: not_found, corrupt (nothing is left of it), conflict
  // (directories of several topics of the name), and those of check_log_directory().
  Result<std::optional<RestoredTopic>> restore_topic(const std::string& name, bool apply, Deadline deadline);

  // invalid_argument: there are not that many brokers.
  Result<> check_replication_factor(int32_t replicas) const;
  // With no replication factor: as many as there are brokers, but no more than three. Errors: invalid_argument,
  // already_exists.
  Result<TopicMetadata> create_topic(const std::string& name, int32_t partitions, const ConfigMap& config,
                                     Deadline deadline, std::optional<int32_t> replication_factor = {});

  // Makes `changed`, which was read with the version before, the topic's metadata. False: another process has changed
  // it meanwhile.
  Result<bool> replace_topic(const TopicMetadata& changed) const;

  // Whoever has a partition open obeys the new configs at its next append; producers that run go on with the partitions
  // they know. Errors: not_found, invalid_argument.
  Result<TopicMetadata> alter_topic(const std::string& name, const TopicChange& change, Deadline deadline);

  // not_found: there is nothing to delete.
  Result<> check_deletable(const std::string& name) const;
  // Every process that has a partition of it open gets not_found. Errors: not_found, timed_out.
  Result<> delete_topic(const std::string& name, Deadline deadline);

  // The log of one partition of `topic`, on its leader.
  Result<std::unique_ptr<PartitionLog>> open_partition(const TopicMetadata& topic, PartitionId partition, Access access,
                                                       Deadline deadline) const;

  // Makes the directory of one replica, empty, unless it is there. If it is there and another topic's of the same name:
  // with ReplicaMaking::first, `topic` gets that one's id; otherwise what is left of that one goes.
  Result<> make_replica(TopicMetadata& topic, PartitionId partition, BrokerId replica, ReplicaMaking making,
                        Deadline deadline) const;

  // The version of a topic's metadata that is the newest now; 0 if there is none.
  Result<int64_t> topic_version(const std::string& name) const;

  // Says to those who wait for it that metadata has changed. Null: no broker runs or ran.
  std::shared_ptr<ClusterState> cluster_state() const;

  // How to open that log; for those who work on its files while nobody has it open.
  Result<PartitionLog::Spec> partition_spec(const TopicMetadata& topic, PartitionId partition, Access access) const;
  // The same of the copy that one broker has.
  Result<PartitionLog::Spec> replica_spec(const TopicMetadata& topic, PartitionId partition, BrokerId replica,
                                          Access access) const;

  std::string log_directory(BrokerId broker) const;

 private:
  Home(const Env& env, std::string path, IfNoHome if_none)
      : env_(env), path_(std::move(path)), if_none_(std::move(if_none)) {}

  Result<> open_cluster();
  Result<> take_cluster(const VersionedContent& stored) const;
  Result<> check_directories(const ClusterMetadata& cluster) const;
  Result<> check_writable() const;
  static Result<ClusterMetadata> read_cluster(const Env& env, const std::string& path, const VersionedContent& stored);
  Result<> make_cluster();
  Result<> make_directories(std::vector<std::string>& made) const;
  Result<> add_brokers(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config);
  Result<> check_new_log_directories(const std::vector<BrokerMetadata>& brokers) const;
  Result<> try_log_directories(const std::vector<BrokerMetadata>& brokers) const;
  Result<> restore_cluster(const std::vector<BrokerMetadata>& brokers, const ConfigMap& config);
  Result<std::shared_ptr<LockFile>> broker_lock(BrokerId broker) const;
  Result<> make_log_directory(const BrokerMetadata& broker, const Uuid& cluster) const;
  void remove_leftovers() const;
  // Makes the reserve of each log directory again; see LogDirectory.
  void keep_reserve() const;
  Result<bool> swap_with_reserve(VersionedFile file, int64_t current, std::string_view content) const;
  Result<> forget_topic(const std::string& name, Deadline deadline) const;
  void announce_metadata() const;
  VersionedFile topic_file(const std::string& name) const;
  // With the version; of a deleted topic, what it was. corrupt: an empty version may be due to damage; `to_delete`
  // accepts it.
  enum class Reading { to_use, to_delete };
  Result<std::optional<TopicMetadata>> read_topic(const std::string& name, Reading reading = Reading::to_use) const;
  bool has_directory(const TopicMetadata& topic) const;
  Result<std::vector<StrayPartition>> partition_directories(const std::optional<std::string>& only) const;
  Result<> check_not_lost(const std::string& name) const;
  Result<TopicMetadata> last_readable(const std::string& name, const std::vector<StrayPartition>& left) const;
  void lead_by_longest(TopicMetadata& topic, PartitionId partition, const std::vector<StrayPartition>& left,
                       Deadline deadline) const;
  Result<> make_partitions(TopicMetadata& topic, int32_t first, Deadline deadline);
  void place(TopicMetadata& topic, int32_t partitions, int32_t replication_factor) const;
  void announce(const TopicMetadata& topic, Deadline deadline) const;
  PartitionLog::Spec placed_replica(const TopicMetadata& topic, PartitionId partition, BrokerId replica,
                                    const LogConfig& config) const;
  Result<> remove_partitions(const TopicMetadata& topic, Deadline deadline) const;

  Env env_;
  std::string path_;
  IfNoHome if_none_;
  int64_t damaged_version_ = 0;  // of the metadata, for init
  std::mutex making_;
  mutable std::atomic<bool> made_ = false;
  mutable std::atomic<bool> read_only_ = false;
  mutable std::mutex mutex_;  // guards what follows
  mutable ClusterMetadata cluster_{{}, {{BrokerId(0)}}};
  mutable std::map<BrokerId, std::shared_ptr<LockFile>> broker_locks_;
  mutable std::shared_ptr<ClusterState> cluster_state_;
};

}  // namespace pg
