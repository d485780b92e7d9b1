// Readers of the simulation: a consumer, which goes on where it was, and a process that keeps a table of a log, as
// groups and schemas do. They read what is committed and keep it. Before they go on at another leader or in another
// epoch they compare epochs, as core/log/epoch_guard.h does; what was lost they forget.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/format/epoch_trail.h"
#include "tests/simulation/client.h"

namespace pg::sim {

class SimReader final : public Client {
 public:
  enum class Kind { consumer, table };
  SimReader(World& world, std::string name, Kind kind);

  // What it has of a partition: records by their offsets, all below `next` that were there.
  struct Kept {
    Offset next;
    std::map<Offset, int64_t> records;
  };
  const Kept& kept(PartitionId partition) { return sources_[partition].kept; }
  // Whether it has compared what it has with the leader of that epoch.
  bool has_compared(PartitionId partition, LeaderEpoch epoch);

 private:
  struct Compared {
    BrokerId broker;
    int64_t openings;
    LeaderEpoch epoch;
    bool operator==(const Compared&) const = default;
  };
  struct Source {
    Kept kept;
    bool begun = false;
    EpochTrail trail;
    std::map<Offset, LeaderEpoch> epochs;  // of the records
    std::optional<Compared> compared;
    int64_t losses = 0;  // of the partition, that the records were compared with
  };

  void run();
  Result<> read_some(PartitionId partition);
  Result<> begin(SimReplica& log, Source& source);
  Result<bool> go_back_if_lost(SimReplica& log, Source& source);
  Result<bool> is_due(SimReplica& log, const Source& source);
  bool is_due(const Source& source, LeaderEpoch batch) const;
  Result<Offset> end_of(SimReplica& log);
  void keep(PartitionId partition, BrokerId broker, Source& source, int64_t value);

  const Kind kind_;
  std::map<PartitionId, Source> sources_;
};

}  // namespace pg::sim
