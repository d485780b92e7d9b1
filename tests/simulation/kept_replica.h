// What a broker's process has of one replica that it keeps.
#pragma once

#include <map>
#include <memory>

#include "core/cluster/replica_keeper.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/sim_replica.h"
#include "tests/simulation/world.h"

namespace pg::sim {

struct SimBroker::Kept {
  Kept(World& w, const Process& p, PartitionId id, BrokerId self)
      : world(w), process(p), partition(id), place(w.place(id, self)), mine(w, p, place), keeper(self, mine) {}

  ReplicaLog* other(BrokerId broker) {
    if (broker == kNoBroker || broker == place.broker) return nullptr;
    auto& found = others[broker];
    if (!found) found = std::make_unique<SimReplica>(world, process, world.place(partition, broker));
    return found.get();
  }

  // In the background.
  Result<> flush() {
    PG_ASSIGN(const StatePage* const page, mine.page());
    const bool behind = Offset(page->flushed.load()) < read_position(*page).log_end;
    return behind && page->failed.load() == 0 ? mine.flush() : Result<>();
  }

  World& world;
  const Process& process;
  const PartitionId partition;
  Place& place;
  SimReplica mine;
  ReplicaKeeper keeper;
  std::map<BrokerId, std::unique_ptr<SimReplica>> others;
  Deadline retry_at{};
  std::optional<Deadline> full_since;
};

}  // namespace pg::sim
