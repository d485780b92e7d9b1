// Producers and consumers of the simulation, each a process.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/simulation/ledger.h"
#include "tests/simulation/sim_replica.h"
#include "tests/simulation/world.h"

namespace pg::sim {

class Client {
 public:
  Client(World& world, std::string name) : world_(world), process_(world.scheduler, std::move(name)) {}
  virtual ~Client() = default;
  Process& process() { return process_; }

 protected:
  // The replica of the partition's leader, as the metadata names it.
  SimReplica& leader(PartitionId partition);
  PartitionId any_partition();
  // A page that somebody has mapped cannot be made anew. Who cannot go on with one partition does not keep those of others open:
  // a real producer would end.
  void let_go_of_others(PartitionId partition) {
    std::erase_if(replicas_, [&](const auto& entry) { return entry.first != partition; });
  }
  // At the end.
  void let_go() { replicas_.clear(); }

  World& world_;

 private:
  std::map<PartitionId, std::unique_ptr<SimReplica>> replicas_;

 protected:
  Process process_;  // the last member: its fibers end before what they use
};

// Sends one record after another, each until it is acknowledged.
class SimProducer final : public Client {
 public:
  // Its records are numbers from `first` on.
  SimProducer(World& world, std::string name, int64_t first, std::optional<Promise> promise);
  // Finishes the record that it sends.
  void stop() { must_stop_ = true; }
  bool has_ended() const { return process_.running() == 0; }
  int64_t acknowledged() const { return acknowledged_; }

 private:
  void run();
  void send(PartitionId partition, int64_t value, Promise promise);
  Result<bool> attempt(PartitionId partition, int64_t value, Promise promise, bool& uncertain);

  int64_t next_;
  const std::optional<Promise> promise_;  // empty: any
  bool must_stop_ = false;
  int64_t acknowledged_ = 0;
};

// Reads what is committed, again and again from some offset on.
class SimConsumer final : public Client {
 public:
  SimConsumer(World& world, std::string name);

 private:
  void run();
  void read_some(PartitionId partition);

  std::map<PartitionId, Offset> next_;
};

// Trims the log now and then; elects without regard to what is in sync where nothing else helps.
class SimOperator final : public Client {
 public:
  explicit SimOperator(World& world);

 private:
  void run();
  void trim(PartitionId partition);
  bool is_lost(PartitionId partition);
  void elect(PartitionId partition);

  std::map<PartitionId, Deadline> lost_since_;
};

// All of them.
class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}
  void start();
  void kill_all();
  void add_producer();
  std::vector<std::unique_ptr<SimProducer>>& producers() { return producers_; }

 private:
  World& world_;
  int made_ = 0;
  std::vector<std::unique_ptr<SimProducer>> producers_;
  std::unique_ptr<SimConsumer> consumer_;
  std::unique_ptr<SimOperator> operator_;
};

}  // namespace pg::sim
