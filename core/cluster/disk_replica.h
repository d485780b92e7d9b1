// A replica as its files are: a ReplicaLog on a PartitionLog. Opened when first needed, and again when its files were
// replaced. One thread.
#pragma once

#include <memory>
#include <optional>

#include "core/cluster/replica_log.h"
#include "core/log/log_reader.h"
#include "core/store/home.h"

namespace pg {

class DiskReplica final : public ReplicaLog {
 public:
  // Borrows `home`.
  DiskReplica(const Home& home, const TopicMetadata& topic, PartitionId partition, BrokerId broker);

  Result<StatePage*> page() override;
  Result<EpochHistory> epochs() override;
  Result<std::optional<ScannedBatch>> read(Offset from, Offset end) override;
  void wake_committed() override;
  void fence(LeaderEpoch epoch) override;
  Result<> follow(LeaderEpoch epoch) override;
  Result<> truncate_to(Offset end, bool committed_too) override;
  Result<> restart_at(Offset start) override;
  Result<> append(const ScannedBatch& batch, LeaderEpoch epoch) override;
  Result<> lead(const Leadership& leadership) override;
  Result<> raise_log_start(Offset offset) override;
  Result<> flush() override;

  // Announces a follower that sleeps until more is appended here. Empty: the replica is not open.
  std::optional<WakeWord> prepare_to_follow();
  // Whether all below `offset` is on stable storage, still, and this log is the one that is there.
  bool is_flushed_to(Offset offset) const;
  // nullptr: not open.
  PartitionLog* log() const { return log_.get(); }

 private:
  Result<PartitionLog*> open();
  Deadline deadline() const;

  const Home& home_;
  PartitionLog::Spec spec_;
  Result<> placed_;
  std::unique_ptr<PartitionLog> log_;
  std::shared_ptr<PartitionState> state_;
  Deadline looked_{};  // when state_ was last compared with the files
  std::optional<LogReader> reader_;
};

}  // namespace pg
