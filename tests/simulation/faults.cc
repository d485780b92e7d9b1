#include "tests/simulation/faults.h"

#include <algorithm>

#include "tests/simulation/ledger.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

Faults::Faults(World& world, Clients& clients) : world_(world), clients_(clients) {
  constexpr int kKinds = static_cast<int>(Kind::cut_power) + 1;
  for (int kind = 0; kind < kKinds; ++kind) {
    if (world.random().one_in(3)) kinds_.push_back(static_cast<Kind>(kind));
  }
  if (kinds_.empty()) kinds_ = {Kind::kill, Kind::freeze, Kind::freeze_client};
  left_ = 1 + static_cast<int>(world.random().below(8));
  gap_ = 100u << world.random().below(5);
  next_ = world.random().below(2 * gap_);
}

void Faults::consider(const Process* ran) {
  for (auto& broker : world_.brokers) {
    if (broker->bury()) start_later(*broker);
  }
  if (left_ == 0 || next_-- > 0) return;
  next_ = world_.random().below(2 * gap_);
  --left_;
  strike(kinds_[world_.random().below(kinds_.size())], ran);
}

// Mostly it hits who was at work.
SimBroker* Faults::victim(const Process* ran) {
  std::vector<SimBroker*> up;
  for (auto& broker : world_.brokers) {
    if (broker->process() == nullptr) continue;
    if (broker->process() == ran && !world_.random().one_in(3)) return broker.get();
    up.push_back(broker.get());
  }
  return up.empty() ? nullptr : up[world_.random().below(up.size())];
}

void Faults::strike(Kind kind, const Process* ran) {
  if (kind == Kind::cut_power) return cut_power();
  if (kind == Kind::freeze_client || kind == Kind::kill_client) return strike_client(kind);
  if (kind == Kind::lose_replica || kind == Kind::lose_page || kind == Kind::damage) return strike_replica(kind);
  SimBroker* const broker = victim(ran);
  if (broker == nullptr) return;
  if (kind == Kind::kill) kill(*broker);
  if (kind == Kind::freeze) freeze(*broker->process());
  if (kind == Kind::stop) broker->stop();
  if (kind == Kind::fail_disk) fail_disk(*broker);
  if (kind == Kind::fill_disk) fill_disk(*broker);
}

void Faults::start_later(SimBroker& broker) {
  world_.after(world_.between(milliseconds(10), seconds(2)), [&broker] { broker.start(); });
}

void Faults::kill(SimBroker& broker) {
  broker.kill();
  start_later(broker);
}

void Faults::freeze(Process& process) {
  const Duration duration = world_.between(milliseconds(1), seconds(2));
  world_.note("{} is frozen for {} ms", process.name(), duration / milliseconds(1));
  process.freeze_until(world_.now() + duration);
}

void Faults::strike_client(Kind kind) {
  auto& producers = clients_.producers();
  if (producers.empty()) return;
  const size_t which = world_.random().below(producers.size());
  if (kind == Kind::freeze_client) return freeze(producers[which]->process());
  world_.note("{} is killed", producers[which]->process().name());
  producers.erase(producers.begin() + static_cast<std::ptrdiff_t>(which));
  clients_.add_producer();
}

// Of two replicas that are whole, one may be destroyed.
bool Faults::may_destroy(PartitionId partition) {
  const auto places = world_.places(partition);
  return std::count_if(places.begin(), places.end(), [](const Place* place) { return !place->destroyed; }) > 1;
}

void Faults::strike_replica(Kind kind) {
  const PartitionId partition(
      static_cast<int32_t>(world_.random().below(static_cast<uint64_t>(world_.shape.partitions))));
  const auto places = world_.places(partition);
  Place& place = *places[world_.random().below(places.size())];
  if (!place.files || !place.files->page) return;
  place.spoilt = true;
  world_.ledger(partition).excuse_leaders_own();
  if (kind == Kind::lose_page) {
    world_.note("broker {} loses its state of partition {}", place.broker.value, partition.value);
    return place.files->lose_page();
  }
  if (!may_destroy(partition)) return;
  if (kind == Kind::damage) return spoil(place);
  world_.note("broker {} loses its replica of partition {}", place.broker.value, partition.value);
  place.destroyed = true;
  place.files->lose_page();
  place.files.reset();
}

// Somebody has met it, or nobody yet.
void Faults::spoil(Place& place) {
  const LogPosition position = read_position(place.files->page->page);
  const int64_t records = position.log_end - position.log_start;
  if (records == 0) return;
  const Offset at = position.log_start + static_cast<int64_t>(world_.random().below(static_cast<uint64_t>(records)));
  world_.note("broker {} cannot read {} of partition {} any more", place.broker.value, at.value, place.partition.value);
  place.destroyed = true;
  place.files->find(at)->unreadable = true;
  if (world_.random().one_in(2)) place.files->page->page.damaged.store(1);
}

void Faults::fail_disk(SimBroker& broker) {
  for (int p = 0; p < world_.shape.partitions; ++p) {
    if (!may_destroy(PartitionId(p))) return;
  }
  world_.note("the disk of broker {} fails", broker.id().value);
  broker.disk.failed = true;
  for (int p = 0; p < world_.shape.partitions; ++p) {
    for (Place* place : world_.places(PartitionId(p))) place->destroyed |= place->broker == broker.id();
    world_.ledger(PartitionId(p)).excuse_leaders_own();
  }
  world_.after(world_.between(milliseconds(10), seconds(4)), [&broker] { broker.disk.failed = false; });
}

void Faults::fill_disk(SimBroker& broker) {
  world_.note("the disk of broker {} is full", broker.id().value);
  broker.disk.full = true;
  world_.after(world_.between(milliseconds(10), seconds(4)), [&broker] { broker.disk.full = false; });
}

void Faults::cut_power() {
  world_.note("the power is cut");
  clients_.kill_all();
  for (auto& broker : world_.brokers) {
    broker->kill();
    broker->reboot();
  }
  for (int p = 0; p < world_.shape.partitions; ++p) {
    world_.ledger(PartitionId(p)).power_cut();
    for (Place* place : world_.places(PartitionId(p))) {
      if (place->files) place->files->cut_power(world_.random());
    }
  }
  for (auto& broker : world_.brokers) start_later(*broker);
  clients_.start();
}

void Faults::end() {
  left_ = 0;
  world_.note("no more faults");
  for (auto& broker : world_.brokers) {
    broker->disk.failed = broker->disk.full = false;
    if (broker->process() != nullptr)
      broker->process()->wake();
    else
      broker->start();
  }
  for (auto& producer : clients_.producers()) producer->process().wake();
}

}  // namespace pg::sim
