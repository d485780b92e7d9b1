// The users of the simulated cluster, each a process: producers, readers, a person.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/simulation/client.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/reader.h"
#include "tests/simulation/world.h"

namespace pg::sim {

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
  Result<bool> attempt(PartitionId partition, int64_t value, Promise promise, std::vector<WrittenBatch>& places);

  int64_t next_;
  const std::optional<Promise> promise_;  // empty: any
  bool must_stop_ = false;
  int64_t acknowledged_ = 0;
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
  const std::vector<std::unique_ptr<SimReader>>& readers() const { return readers_; }

 private:
  World& world_;
  int made_ = 0;
  std::vector<std::unique_ptr<SimProducer>> producers_;
  std::vector<std::unique_ptr<SimReader>> readers_;
  std::unique_ptr<SimOperator> operator_;
};

}  // namespace pg::sim
