// A broker of the simulation: its disk, and the process that runs as it, if there is one. The process does what
// core/cluster/broker.cc, replica_manager.cc, upkeep.cc and controller.cc do, with the real ReplicaKeeper, HealthWatch
// and TopicController.
#pragma once

#include <memory>

#include "core/cluster/health_watch.h"
#include "tests/simulation/replica_files.h"
#include "tests/simulation/scheduler.h"

namespace pg::sim {

class World;

class SimBroker {
 public:
  SimBroker(World& world, BrokerId id);
  ~SimBroker();

  BrokerId id() const { return id_; }
  Process* process() const { return process_.get(); }
  bool is_serving() const { return serving_; }
  BrokerSigns signs() const;

  // It runs until it is killed, or stopped: then it hands over, and ends by itself.
  void start();
  void kill();
  void stop() { must_stop_ = true; }
  // To be called between two turns: gives away the process, if it has ended by itself.
  bool bury();
  // The machine has started anew.
  void reboot() { heartbeat_ = 0; }

  // The page of an empty replica.
  static std::shared_ptr<PageFile> new_page();

  Disk disk;

 private:
  struct Kept;

  void run();
  void beat();
  void keep_replicas();
  Result<bool> step(Kept& kept);
  Result<> cut_to_high_watermark(Kept& kept, const PartitionMetadata& metadata);
  void note_room(Kept& kept, StatePage& page, const Result<bool>& done);
  Result<bool> restore(Kept& kept, const Error& why);
  void keep_up();
  Result<> note_checkpoints(const std::vector<Kept*>& kept);
  void control();
  bool is_controller(const ClusterHealth& health);
  void hand_over();
  bool leads_what_others_could() const;
  bool stop_cleanly();
  std::vector<std::unique_ptr<Kept>> open_all();

  World& world_;
  const BrokerId id_;
  std::unique_ptr<Process> process_;
  int lives_ = 0;
  uint64_t heartbeat_ = 0;
  bool serving_ = false, stopping_ = false, must_stop_ = false, ending_ = false, ended_ = false;
  bool seen_failed_ = false, seen_full_ = false;
};

}  // namespace pg::sim
