// A broker: one process for one log directory. It shows that it lives, probes its disk, keeps its replicas as the
// metadata wants them, and is the controller when there is no other one. Producers and consumers never talk to it: they
// work on the leaders' files.
//
// Its threads, each of which may die or hang without the others noticing, as others will:
//   heartbeat    beats
//   disk         writes a small file and syncs it, again and again
//   replicas     ReplicaKeeper for each replica
//   upkeep       flushes in the background, retention, compaction, checkpoints
//   controller   looks at the other brokers; acts, if it is its turn
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/cluster/topic_list.h"
#include "core/format/broker_locks.h"
#include "core/store/cluster_config.h"

namespace pg {

// Whether a supervisor started the broker and the broker ends with it.
enum class Supervised { no, yes };

class Broker {
 public:
  // Borrows `home`. `tell` gets lines for people, from any thread. Errors: not_found (no such broker, no log
  // directory), busy (another process is this broker), already_exists (the log directory is another broker's).
  static Result<std::unique_ptr<Broker>> open(Home& home, BrokerId id, Supervised supervised,
                                              std::function<void(const std::string&)> tell);
  ~Broker();

  // Serves until `must_stop` says so; then hands over what it leads, brings everything to stable storage and ends. An
  // error: it cannot go on, and others take over.
  Result<> run(const std::function<bool()>& must_stop);

 private:
  Broker(Home& home, BrokerId id, std::function<void(const std::string&)> tell);
  Result<> prepare(Supervised supervised);
  Result<> lock_itself(Supervised supervised);
  void start(void (Broker::*body)());
  void nap(Duration duration);

  void beat();
  void probe_disk();
  void keep_replicas();
  void keep_up();
  void control();

  void note_start();
  Result<> check_lock();
  void hand_over();
  Result<> stop_cleanly();
  bool leads_what_others_could();

  Home& home_;
  const BrokerId id_;
  std::function<void(const std::string&)> tell_;
  std::shared_ptr<LockFile> lock_;  // open as long as this is the broker
  HeldLock serves_;
  ClusterConfig config_{};
  std::atomic<bool> ending_{false};
  std::atomic<bool> retired_{false};  // no controller any more
  std::atomic<bool> full_{false};     // a replica found no room
  std::vector<std::thread> threads_;
};

}  // namespace pg
