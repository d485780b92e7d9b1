// The machine and the cluster that one seed makes: virtual time, the brokers' disks, the metadata, what was promised.
// What the actors do in it is in broker.h, producer.h and faults.h.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/cluster/health_watch.h"
#include "core/store/cluster_config.h"
#include "core/store/home.h"
#include "tests/simulation/replica_files.h"
#include "tests/simulation/scheduler.h"

namespace pg::sim {

class Ledger;
class SimBroker;

// What the seed decides about the cluster as a whole.
struct Shape {
  int brokers = 3;
  int replicas = 3;
  int partitions = 1;
  int32_t min_in_sync = 1;
  bool rebalance = false;
  int64_t retained = 0;  // how many records brokers keep, about; 0: all
};

// Kafka's controller.json: who is the controller, and how often that has changed.
struct ControllerWord {
  int64_t epoch = 0;
  BrokerId broker = kNoBroker;
};

class World {
 public:
  World(uint64_t seed, bool tracing);
  ~World();

  Deadline now() const { return scheduler.now(); }
  SeededRandom& random() { return scheduler.random; }
  Duration between(Duration least, Duration most);  // mostly nearer to the least

  // Ends the simulation. The first one counts.
  void fail(const std::string& why);
  bool failed() const { return !violation_.empty(); }
  const std::string& violation() const { return violation_; }

  template <class... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    if (tracing_) write_note(fmt::format(text, std::forward<Args>(args)...));
  }
  const std::vector<std::string>& notes() const { return notes_; }

  Place& place(PartitionId partition, BrokerId broker) { return *places_.at({partition, broker}); }
  std::vector<Place*> places(PartitionId partition);
  const PartitionMetadata& metadata(PartitionId partition) const {
    return topic.partitions[static_cast<size_t>(partition.value)];
  }
  Ledger& ledger(PartitionId partition) { return *ledgers_[static_cast<size_t>(partition.value)]; }
  SimBroker& broker(BrokerId id) { return *brokers[static_cast<size_t>(id.value)]; }
  bool is_serving(BrokerId id);
  std::map<BrokerId, BrokerSigns> signs();
  // Compare-and-swap.
  bool replace_topic(const TopicMetadata& changed);

  // All invariants, after each turn.
  void look();
  // At that time, between two turns.
  void at(Deadline time, std::function<void()> event);
  void after(Duration delay, std::function<void()> event) { at(now() + delay, std::move(event)); }
  // One turn of an actor, or an event. nullptr: an event, or nothing is left to happen.
  Process* run_next();

  Scheduler scheduler;
  Shape shape;
  ClusterConfig config{};
  TopicMetadata topic;
  ControllerWord controller;
  std::vector<std::unique_ptr<SimBroker>> brokers;
  std::multimap<Deadline, std::function<void()>> events;

 private:
  void write_note(std::string text);

  const bool tracing_;
  std::string violation_;
  std::vector<std::string> notes_;
  std::map<std::string, std::string> last_notes_;  // of each actor
  std::map<std::pair<PartitionId, BrokerId>, std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Ledger>> ledgers_;
};

}  // namespace pg::sim
