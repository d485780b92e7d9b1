// One replica as one process has it open: what DiskReplica and PartitionLog do, with memory in the place of files.
// Every call may be interrupted where the real one touches the disk, the page or a lock. Where they differ, the
// simulator proves nothing: keep it as core/log/log_replica.cc, log_append.cc, log_flush.cc and log_recovery.cc are.
#pragma once

#include <memory>
#include <optional>

#include "core/cluster/replica_log.h"
#include "core/format/batch_fate.h"
#include "tests/simulation/replica_files.h"
#include "tests/simulation/scheduler.h"

namespace pg::sim {

class World;

class SimReplica final : public ReplicaLog {
 public:
  // Borrows all of them.
  SimReplica(World& world, const Process& process, Place& place);
  ~SimReplica() override;

  Result<StatePage*> page() override;
  Result<EpochHistory> epochs() override;
  Result<std::optional<ScannedBatch>> read(Offset from, Offset end) override;
  void wake_committed() override {}
  void fence(LeaderEpoch epoch) override;
  Result<> follow(LeaderEpoch epoch) override;
  Result<> truncate_to(Offset end, bool committed_too) override;
  Result<> restart_at(Offset start) override;
  Result<> append(const ScannedBatch& batch, LeaderEpoch epoch) override;
  Result<> lead(const Leadership& leadership) override;
  Result<> raise_log_start(Offset offset) override;
  Result<> flush() override;

  // PartitionLog::append; with `seen`, append_if: empty if the log ends elsewhere by now.
  Result<std::optional<Appended>> produce(int64_t value, const std::optional<LogEnd>& seen);
  Result<> wait_committed(const Appended& appended, bool flushed, Deadline deadline);
  void say_full() { mapped().full.store(1); }
  // Whether what was appended in that epoch counts, though nobody else has it.
  Result<> check_leads(LeaderEpoch epoch) const;
  // ReplicatedWriter::find_again(), and where the log ended then.
  struct Found {
    LogEnd end;
    FoundBatch batch;
  };
  Result<Found> look_for(const std::vector<WrittenBatch>& places);
  // As PartitionLog::openings().
  int64_t openings() const { return openings_; }
  BrokerId broker() const { return place_.broker; }
  // Whether its log is lost, and what was appended with it.
  bool is_lost() const { return files_ != place_.files; }
  // What was flushed needs no recovery any more, if it is there still.
  void raise_recovery_point(Offset flushed);
  // Retention, by the leader only: deletes committed records except the last `records` ones.
  Result<> retain(int64_t records);
  // pg-topic trim.
  Result<> trim(Offset offset);
  // Every append that had begun is over.
  Result<> await_appends();

 private:
  class HeldLock;
  struct Writing;

  Result<> open();
  Result<> reopen();
  Result<> rebuild();
  void close();
  bool is_current() const;
  Result<> check_disk() const;
  Result<HeldLock> lock(Lock ReplicaFiles::*which);
  Result<Writing> begin_write(bool must_lead);
  Result<> check_may_append() const;
  void cut_dead_writers_tail(Offset end);
  Result<> replace_end(Writing& writing, LogPosition kept, bool restart);
  Result<> write_entry(Writing& writing, const Entry& entry);
  Result<> store_epochs(EpochHistory epochs);
  Result<> set_log_start(Offset offset, bool must_lead);
  StatePage& mapped() const { return page_->page; }

  World& world_;
  const Process& process_;
  Place& place_;
  std::shared_ptr<ReplicaFiles> files_;
  std::shared_ptr<PageFile> page_;
  std::optional<Deadline> looked_;
  int64_t openings_ = 0;
  EpochHistory epochs_;
  int64_t value_read_ = 0;
};

}  // namespace pg::sim
