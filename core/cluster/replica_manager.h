// All replicas of one broker, each kept by a ReplicaKeeper; and what became of those that are lost or cannot be used.
// One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/cluster/disk_replica.h"
#include "core/cluster/replica_keeper.h"
#include "core/cluster/topic_list.h"

namespace pg {

class ReplicaManager {
 public:
  // Borrows `home`.
  ReplicaManager(const Home& home, BrokerId self, std::function<void(const std::string&)> tell);

  // Looks after each replica once; if there was nothing to do, sleeps until there may be.
  void turn();
  // Whether a replica has no room, as of the last turn.
  bool is_full() const;

 private:
  struct Kept {
    Kept(const Home& home, std::shared_ptr<const TopicMetadata> topic, PartitionId partition, BrokerId self);
    const PartitionMetadata& metadata() const { return topic->partitions[static_cast<size_t>(partition.value)]; }

    std::shared_ptr<const TopicMetadata> topic;
    PartitionId partition;
    DiskReplica mine;
    ReplicaKeeper keeper;
    std::map<BrokerId, std::unique_ptr<DiskReplica>> others;
    int32_t min_in_sync = 1;
    Deadline retry_at{};
    std::optional<Deadline> full_since;
    std::string said;  // the last trouble, told once
  };

  void take_over_topics();
  void take_over(const std::shared_ptr<const TopicMetadata>& topic);
  ReplicaLog* other(Kept& kept, BrokerId broker);
  ReplicaLog* previous_of(Kept& kept);
  Result<bool> step(Kept& kept);
  void note_room(Kept& kept, StatePage& page, const Result<bool>& done);
  Result<bool> restore(Kept& kept, const Error& why);
  std::optional<WakeWord> word_of(Kept& kept);

  const Home& home_;
  const BrokerId self_;
  std::function<void(const std::string&)> tell_;
  TopicList topics_;
  std::map<TopicPartition, std::unique_ptr<Kept>> kept_;
};

}  // namespace pg
