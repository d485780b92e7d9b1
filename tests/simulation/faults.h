// What goes wrong in a simulation, and when: drawn from the seed, in turns of the actors, so that a fault comes in the
// middle of things more often than between them.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/broker.h"
#include "tests/simulation/clients.h"
#include "tests/simulation/world.h"

namespace pg::sim {

class Faults {
 public:
  Faults(World& world, Clients& clients);

  // After each turn; `ran` had it, if anybody had.
  void consider(const Process* ran);
  // From now on all is well.
  void end();

 private:
  enum class Kind {
    kill,
    freeze,
    freeze_client,
    kill_client,
    stop,
    fail_disk,
    fill_disk,
    lose_replica,
    lose_page,
    damage,
    cut_power
  };

  void strike(Kind kind, const Process* ran);
  void strike_client(Kind kind);
  void strike_replica(Kind kind);
  SimBroker* victim(const Process* ran);
  void kill(SimBroker& broker);
  void freeze(Process& process);
  void fail_disk(SimBroker& broker);
  void fill_disk(SimBroker& broker);
  void cut_power();
  void start_later(SimBroker& broker);
  bool may_destroy(PartitionId partition);
  void spoil(Place& place);

  World& world_;
  Clients& clients_;
  std::vector<Kind> kinds_;  // that this seed has
  int left_ = 0;
  uint64_t gap_ = 1;  // turns between two faults, about
  uint64_t next_ = 0;
};

}  // namespace pg::sim
