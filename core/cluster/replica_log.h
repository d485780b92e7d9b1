// One replica of a partition as the brokers of this host see it: the words that it shares, and its log. On disk it is a
// DiskReplica; the simulator has one in memory.
#pragma once

#include <optional>

#include "core/format/checkpoint_text.h"
#include "core/log/batch_scanner.h"
#include "core/log/partition_log.h"
#include "core/log/state_page.h"

namespace pg {

class ReplicaLog {
 public:
  virtual ~ReplicaLog() = default;

  // The shared words, valid until the next call. not_found: the replica is lost. Each call looks at whether the page
  // was replaced.
  virtual Result<StatePage*> page() = 0;
  virtual Result<EpochHistory> epochs() = 0;
  // The batch at `from`, which is below `end`. The bytes are valid until the next call.
  virtual Result<std::optional<ScannedBatch>> read(Offset from, Offset end) = 0;
  // Wakes who waits for more to be committed.
  virtual void wake_committed() = 0;
  virtual void fence(LeaderEpoch epoch) = 0;

  // Only for the replica's own broker: see PartitionLog.
  virtual Result<> follow(LeaderEpoch epoch) = 0;
  virtual Result<> truncate_to(Offset end, bool committed_too) = 0;
  virtual Result<> restart_at(Offset start) = 0;
  virtual Result<> append(const ScannedBatch& batch, LeaderEpoch epoch) = 0;
  virtual Result<> lead(const Leadership& leadership) = 0;
  virtual Result<> raise_log_start(Offset offset) = 0;
  // Everything that the log holds is on stable storage.
  virtual Result<> flush() = 0;
};

inline bool leads_in(const StatePage& page, LeaderEpoch epoch) {
  return page.role.load() == static_cast<uint32_t>(Role::leader) && page.leader_epoch.load() == epoch.value &&
         page.fenced.load() <= epoch.value;
}

}  // namespace pg
