#include "tests/simulation/world.h"

#include <algorithm>
#include <cmath>

#include "tests/simulation/broker.h"
#include "tests/simulation/ledger.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;

Shape draw_shape(SeededRandom& random) {
  Shape shape;
  shape.brokers = random.one_in(3) ? 2 + static_cast<int>(random.below(4)) : 3;
  shape.replicas = random.one_in(4) ? 2 + static_cast<int>(random.below(static_cast<uint64_t>(shape.brokers - 1)))
                                    : std::min(3, shape.brokers);
  shape.partitions = random.one_in(3) ? 2 : 1;
  shape.min_in_sync = random.one_in(2) ? 2 : 1;
  shape.rebalance = random.one_in(4);
  if (random.one_in(3)) shape.retained = 5 + static_cast<int64_t>(random.below(30));
  return shape;
}

}  // namespace

World::World(uint64_t seed, bool tracing) : scheduler(seed), tracing_(tracing) {
  shape = draw_shape(random());
  config = {milliseconds(200), milliseconds(20), milliseconds(500), shape.rebalance};
  scheduler.pace.steps = 1 + random().below(random().one_in(2) ? 10 : 60);
  scheduler.pace.pause = std::chrono::microseconds(20 << random().below(4));
  for (int b = 0; b < shape.brokers; ++b) brokers.push_back(std::make_unique<SimBroker>(*this, BrokerId(b)));
  topic.name = "t";
  topic.version = 1;
  for (int p = 0; p < shape.partitions; ++p) {
    PartitionMetadata partition;
    for (int r = 0; r < shape.replicas; ++r) {
      const BrokerId broker((p + r) % shape.brokers);
      partition.replicas.push_back(broker);
      auto place = std::make_unique<Place>(
          Place{broker, PartitionId(p), &this->broker(broker).disk, std::make_shared<ReplicaFiles>(), {}, {}, {}});
      place->files->page = SimBroker::new_page();
      places_[{PartitionId(p), broker}] = std::move(place);
    }
    partition.leader = partition.replicas.front();
    partition.leader_epoch = LeaderEpoch(0);
    partition.in_sync = partition.replicas;
    topic.partitions.push_back(partition);
    ledgers_.push_back(std::make_unique<Ledger>(*this, PartitionId(p)));
  }
  note("{} brokers, {} replicas, {} partitions, min.insync.replicas {}, a turn of {} steps", shape.brokers,
       shape.replicas, shape.partitions, shape.min_in_sync, scheduler.pace.steps);
}

// Its actors end before what they work on.
World::~World() { brokers.clear(); }

Duration World::between(Duration least, Duration most) {
  const double part = static_cast<double>(random().below(1 << 20)) / (1 << 20);
  const auto from = static_cast<double>(least.count()), to = static_cast<double>(most.count());
  return Duration(static_cast<int64_t>(from * std::pow(to / from, part)));
}

void World::fail(const std::string& why) {
  if (failed()) return;
  violation_ = why;
  note("VIOLATION: {}", why);
}

void World::write_note(std::string text) {
  const double ms = std::chrono::duration<double, std::milli>(now().time_since_epoch() - std::chrono::hours(1)).count();
  // What is tried again and again is noted once.
  const auto [before, first] = last_notes_.emplace(text.substr(0, text.find(':')), text);
  if (!first && std::exchange(before->second, text) == text) return;
  notes_.push_back(fmt::format("{:10.3f} {}", ms, text));
}

std::vector<Place*> World::places(PartitionId partition) {
  std::vector<Place*> found;
  for (const BrokerId broker : metadata(partition).replicas) found.push_back(&place(partition, broker));
  return found;
}

bool World::is_serving(BrokerId id) { return broker(id).is_serving(); }

std::map<BrokerId, BrokerSigns> World::signs() {
  std::map<BrokerId, BrokerSigns> seen;
  for (const auto& broker : brokers) seen[broker->id()] = broker->signs();
  return seen;
}

bool World::replace_topic(const TopicMetadata& changed) {
  if (changed.version != topic.version + 1) return false;
  for (size_t p = 0; p < topic.partitions.size(); ++p) {
    const PartitionMetadata &before = topic.partitions[p], &after = changed.partitions[p];
    if (before == after) continue;
    if (after.leader_epoch < before.leader_epoch ||
        (after.leader_epoch == before.leader_epoch && after.leader != before.leader)) {
      fail(fmt::format("partition {}: epoch {} has two leaders", p, after.leader_epoch.value));
    }
    std::string in_sync;
    for (const BrokerId broker : after.in_sync) in_sync += fmt::format(" {}", broker.value);
    note("metadata {}: partition {}: leader {}, epoch {}, in sync{}{}", changed.version, p, after.leader.value,
         after.leader_epoch.value, in_sync, after.lossy_epoch == after.leader_epoch ? ", lossy" : "");
  }
  topic = changed;
  return true;
}

void World::look() {
  for (const auto& ledger : ledgers_) ledger->look();
}

void World::at(Deadline time, std::function<void()> event) { events.emplace(time, std::move(event)); }

Process* World::run_next() {
  const auto turn = scheduler.next_time();
  if (!events.empty() && (!turn || events.begin()->first <= *turn)) {
    scheduler.pass_to(events.begin()->first);
    const auto event = std::move(events.begin()->second);
    events.erase(events.begin());
    event();
    look();
    return nullptr;
  }
  Process* const process = scheduler.run_next();
  look();
  return process;
}

}  // namespace pg::sim
