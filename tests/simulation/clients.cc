#include "tests/simulation/clients.h"

#include "core/log/replica_words.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

SimReplica& Client::leader(PartitionId partition) {
  step();
  const BrokerId broker = world_.metadata(partition).leader;
  auto& found = replicas_[partition];
  if (!found || found->broker() != broker)
    found = std::make_unique<SimReplica>(world_, process_, world_.place(partition, broker));
  return *found;
}

PartitionId Client::any_partition() {
  return PartitionId(static_cast<int32_t>(world_.random().below(static_cast<uint64_t>(world_.shape.partitions))));
}

SimProducer::SimProducer(World& world, std::string name, int64_t first, std::optional<Promise> promise)
    : Client(world, std::move(name)), next_(first), promise_(promise) {
  process_.start([this] { run(); });
}

void SimProducer::run() {
  while (!must_stop_) {
    const auto promise = promise_.value_or(static_cast<Promise>(world_.random().below(3)));
    send(any_partition(), next_++, promise);
    world_.scheduler.sleep(world_.between(std::chrono::microseconds(100), milliseconds(20)));
  }
  let_go();
}

void SimProducer::send(PartitionId partition, int64_t value, Promise promise) {
  std::vector<WrittenBatch> places;
  for (;;) {
    const auto sent = attempt(partition, value, promise, places);
    if (sent && *sent) return;
    let_go_of_others(partition);
    if (!sent) world_.note("{}: {}: {}", process_.name(), value, sent.error().message());
    world_.scheduler.sleep(world_.between(milliseconds(1), milliseconds(50)));
  }
}

// False: try again. `places`: where the record was, and may still be.
Result<bool> SimProducer::attempt(PartitionId partition, int64_t value, Promise promise,
                                  std::vector<WrittenBatch>& places) {
  SimReplica& log = leader(partition);
  std::optional<LogEnd> seen;
  std::optional<Appended> appended;
  if (!places.empty()) {
    PG_ASSIGN(const auto found, log.look_for(places));
    if (found.batch.fate == BatchFate::unknown) {
      world_.note("{}: {} may have been written", process_.name(), value);
      return true;
    }
    seen = found.end;
    if (found.batch.fate == BatchFate::there)
      appended = Appended{found.batch.place.base, found.batch.place.end, found.end.leader_epoch};
  }
  if (!appended) {
    auto produced = log.produce(value, seen);
    if (!produced && produced.error().code == Errc::no_space) log.say_full();
    PG_ASSIGN(appended, std::move(produced));
    if (!appended) return false;
    places.push_back({appended->leader_epoch, appended->base_offset, appended->end_offset});
  }
  if (promise == Promise::flushed) {
    PG_CHECK(log.flush());
    log.raise_recovery_point(appended->end_offset);
  }
  if (promise == Promise::leader) {
    PG_CHECK(log.check_leads(appended->leader_epoch));
  } else {
    PG_CHECK(log.wait_committed(*appended, promise == Promise::flushed, world_.now() + seconds(30)));
  }
  const Uninterrupted alone;
  ++acknowledged_;
  world_.note("{}: {} at {} of partition {} is acknowledged ({})", process_.name(), value, appended->base_offset.value,
              partition.value,
              promise == Promise::leader ? "leader"
              : promise == Promise::all  ? "all"
                                         : "all, flushed");
  if (promise == Promise::leader && log.is_lost()) return true;
  world_.ledger(partition).acknowledge(promise, appended->base_offset, value, appended->leader_epoch);
  return true;
}

}  // namespace pg::sim
