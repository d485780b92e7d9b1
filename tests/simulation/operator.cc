// SimOperator, and the clients as a whole.
#include <algorithm>

#include "core/cluster/topic_controller.h"
#include "core/log/replica_words.h"
#include "tests/simulation/clients.h"
#include "tests/simulation/sim_topic.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long a partition has nobody who could lead before a person comes.
constexpr Duration kPatience = seconds(5);

}  // namespace

SimOperator::SimOperator(World& world) : Client(world, "operator") {
  process_.start([this] { run(); });
}

void SimOperator::run() {
  for (;;) {
    world_.scheduler.sleep(world_.between(milliseconds(50), seconds(1)));
    const PartitionId partition = any_partition();
    if (world_.random().one_in(4)) trim(partition);
    if (!is_lost(partition))
      lost_since_[partition] = world_.now();
    else if (world_.now() - lost_since_[partition] > kPatience)
      elect(partition);
  }
}

void SimOperator::trim(PartitionId partition) {
  SimReplica& log = leader(partition);
  const auto page = log.page();
  if (!page) return;
  const LogPosition position = read_position(**page);
  const int64_t committed = committed_end(**page, true) - position.log_start;
  if (committed <= 0) return;
  const Offset start =
      position.log_start + static_cast<int64_t>(world_.random().below(static_cast<uint64_t>(committed) + 1));
  if (log.trim(start)) world_.note("{}: partition {} begins at {}", process_.name(), partition.value, start.value);
}

// Nobody in sync can lead, and somebody will never be able to. A person waits until all brokers are back: one that does
// not run may have what the others lack.
bool SimOperator::is_lost(PartitionId partition) {
  const Uninterrupted from_outside;
  for (const Place* place : world_.places(partition)) {
    if (!world_.is_serving(place->broker) || place->disk->failed || (place->files && !place->files->page)) return false;
  }
  bool unusable = false;
  for (const BrokerId broker : world_.metadata(partition).in_sync) {
    const Place& place = world_.place(partition, broker);
    if (place.files && !place.files->page) return false;
    const bool usable =
        place.files && place.files->page->page.damaged.load() == 0 && place.files->page->page.failed.load() == 0;
    if (usable && place.files->page->page.unclean.load() == 0) return false;
    unusable |= !usable;
  }
  return unusable;
}

void SimOperator::elect(PartitionId partition) {
  SimTopic topic(world_, process_);
  HealthWatch watch;
  const auto metadata = topic.metadata();
  const PartitionView view =
      look_at(topic, metadata->partitions[static_cast<size_t>(partition.value)], partition, true);
  const auto action =
      plan_unclean_election(view, watch.look(world_.signs(), world_.config.session_timeout, world_.now()));
  if (!action) return;
  world_.note("{} lets broker {} lead partition {}", process_.name(), action->changed.leader.value, partition.value);
  (void)carry_out(topic, *metadata, {{partition, *action}});
}

void Clients::start() {
  const int producers = 1 + static_cast<int>(world_.random().below(3));
  for (int i = 0; i < producers; ++i) add_producer();
  readers_.push_back(std::make_unique<SimReader>(world_, "consumer", SimReader::Kind::consumer));
  readers_.push_back(std::make_unique<SimReader>(world_, "table", SimReader::Kind::table));
  operator_ = std::make_unique<SimOperator>(world_);
}

void Clients::kill_all() {
  producers_.clear();
  readers_.clear();
  operator_.reset();
}

void Clients::add_producer() {
  const int number = ++made_;
  producers_.push_back(
      std::make_unique<SimProducer>(world_, fmt::format("producer {}", number), number * 1'000'000, std::nullopt));
}

}  // namespace pg::sim
