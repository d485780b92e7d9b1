// One home directory: the cluster it is, its brokers and its topics. Opening an empty or missing directory makes it a
// cluster of one broker whose log directory lies inside.
//
// Topics are decided without locks. The directory of partition 0 decides which of two creators was first, and the topic's
// metadata names only partitions whose directories exist. Deleting adds an empty version, which takes no space on a full
// disk, and then removes the partitions; whoever meets such a topic with partitions left finishes the work. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/os/env.h"
#include "core/store/topic_config.h"
#include "core/store/versioned_file.h"

namespace pg {

struct PartitionMetadata {
  std::vector<BrokerId> replicas;
  BrokerId leader;
  LeaderEpoch leader_epoch;
  std::vector<BrokerId> in_sync;
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

class Home {
 public:
  // Makes the home if needed. Errors: io (not writable, on a network file system), unsupported_version.
  static Result<std::unique_ptr<Home>> open(const Env& env, const std::string& path);

  const std::string& path() const { return path_; }
  const Env& env() const { return env_; }

  // Names of the topics there are, sorted. Internal ones begin with "_".
  Result<std::vector<std::string>> list_topics() const;

  // Errors: invalid_argument (the name), not_found.
  Result<TopicMetadata> describe_topic(const std::string& name) const;

  // Errors: invalid_argument, already_exists.
  Result<TopicMetadata> create_topic(const std::string& name, int32_t partitions, const ConfigMap& config,
                                     Deadline deadline);

  // Whoever has a partition open obeys the new configs at its next append; producers that run go on with the partitions
  // they know. Errors: not_found, invalid_argument.
  Result<TopicMetadata> alter_topic(const std::string& name, const TopicChange& change, Deadline deadline);

  // Everybody who has a partition open is told. Errors: not_found, timed_out.
  Result<> delete_topic(const std::string& name, Deadline deadline);

  // The log of one partition of `topic`, on its leader.
  Result<std::unique_ptr<PartitionLog>> open_partition(const TopicMetadata& topic, PartitionId partition, Access access,
                                                       Deadline deadline) const;

  // How to open that log; for those who work on its files while nobody has it open.
  Result<PartitionLog::Spec> partition_spec(const TopicMetadata& topic, PartitionId partition, Access access) const;

  std::string log_directory(BrokerId broker) const;

 private:
  Home(const Env& env, std::string path) : env_(env), path_(std::move(path)) {}

  Result<> open_cluster();
  Result<> check_writable() const;
  Result<> make_cluster();
  VersionedFile topic_file(const std::string& name) const;
  // With the version; of a deleted topic, what it was.
  Result<std::optional<TopicMetadata>> read_topic(const std::string& name) const;
  Result<> make_partitions(TopicMetadata& topic, int32_t first, Deadline deadline);
  void announce(const TopicMetadata& topic, Deadline deadline) const;
  PartitionLog::Spec placed_partition(const TopicMetadata& topic, PartitionId partition, const LogConfig& config) const;
  Result<> remove_partitions(const TopicMetadata& topic, Deadline deadline) const;

  Env env_;
  std::string path_;
  bool read_only_ = false;
};

}  // namespace pg
