// SimBroker's replicas, and its part as the controller.
#include <algorithm>

#include "core/cluster/topic_controller.h"
#include "tests/simulation/kept_replica.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/sim_topic.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kRetryInterval = milliseconds(100);
constexpr Duration kLookInterval = milliseconds(20);
constexpr Duration kFullInterval = std::chrono::seconds(2);
constexpr int kRoundsMax = 4;

bool is_in(const std::vector<BrokerId>& brokers, BrokerId broker) {
  return std::find(brokers.begin(), brokers.end(), broker) != brokers.end();
}

}  // namespace

// ReplicaManager::turn().
void SimBroker::keep_replicas() {
  auto all = open_all();
  while (!ending_) {
    bool worked = false;
    for (auto& kept : all) {
      if (world_.now() < kept->retry_at) continue;
      const auto done = step(*kept);
      if (done) {
        worked |= *done;
      } else {
        world_.note("{}: partition {}: {}", process_->name(), kept->partition.value, done.error().message());
        kept->retry_at = world_.now() + kRetryInterval;
      }
    }
    if (!worked) world_.scheduler.sleep(world_.between(milliseconds(1), milliseconds(20)));
  }
}

Result<bool> SimBroker::step(Kept& kept) {
  const auto page = kept.mine.page();
  const bool failed = page && (*page)->failed.load() != 0;
  if (!page || failed) kept.others.clear();
  if (failed) return restore(kept, {Errc::io, "a flush to disk failed", "", {}, 0});
  if (!page && page.error().code == Errc::not_found) return restore(kept, page.error());
  PG_CHECK(page);
  const PartitionMetadata metadata = world_.metadata(kept.partition);
  const bool leads = leads_in(**page, metadata.leader_epoch);
  ReplicaLog* const previous = metadata.leader == id_ && !leads ? kept.other(metadata.previous_leader) : nullptr;
  if (broken_rule == Mutation::cut_to_high_watermark) PG_CHECK(cut_to_high_watermark(kept, metadata));
  auto done = kept.keeper.step(metadata, world_.shape.min_in_sync, {kept.other(metadata.leader), previous});
  std::erase_if(kept.others, [&](const auto& entry) { return entry.first != metadata.leader; });
  if (const auto now = kept.mine.page()) note_room(kept, **now, done);
  return done;
}

// As followers did before there were epochs, whenever they began to follow.
Result<> SimBroker::cut_to_high_watermark(Kept& kept, const PartitionMetadata& metadata) {
  if (metadata.leader == id_ || kept.keeper.aligned() == metadata.leader_epoch) return {};
  PG_ASSIGN(const StatePage* const theirs, kept.other(metadata.leader)->page());
  if (!leads_in(*theirs, metadata.leader_epoch)) return {};
  PG_ASSIGN(const StatePage* const mine, kept.mine.page());
  return kept.mine.truncate_to(Offset(mine->high_watermark.load()), false);
}

void SimBroker::note_room(Kept& kept, StatePage& page, const Result<bool>& done) {
  if (!done && done.error().code == Errc::no_space) page.full.store(1);
  if (page.full.load() == 0) return kept.full_since.reset();
  if (!kept.full_since) kept.full_since = world_.now();
  if (done && world_.now() - *kept.full_since > kFullInterval) page.full.store(0);
}

Result<bool> SimBroker::restore(Kept& kept, const Error& why) {
  const PartitionMetadata metadata = world_.metadata(kept.partition);
  if (is_in(metadata.in_sync, id_) || metadata.leader == id_) return tl::unexpected(why);
  if (disk.failed) return tl::unexpected(why);
  ReplicaLog* const leader = kept.other(metadata.leader);
  if (leader == nullptr) return tl::unexpected(why);
  PG_CHECK(kept.keeper.withdraw(metadata, *leader));
  sim::step();
  if (kept.place.files) kept.place.files->lose_page();
  kept.place.files.reset();
  sim::step();
  kept.place.recovery_point = kept.place.log_start = Offset(0);
  sim::step();
  auto made = std::make_shared<ReplicaFiles>();
  made->page = new_page();
  made->page->page.unclean.store(1);
  kept.place.files = std::move(made);
  world_.note("{}: partition {} is made anew: {}", process_->name(), kept.partition.value, why.what);
  return true;
}

// Controller::turn().
void SimBroker::control() {
  const auto tell = [this](const std::string& line) { world_.note("{}: {}", process_->name(), line); };
  HealthWatch watch;
  struct Controlled {
    SimTopic topic;
    TopicController controller;
  };
  std::optional<Controlled> controlled;
  while (!ending_) {
    const ClusterHealth health = watch.look(world_.signs(), world_.config.session_timeout, world_.now());
    sim::step();
    if (!is_controller(health))
      controlled.reset();
    else if (!controlled)
      controlled.emplace(Controlled{{world_, *process_}, TopicController(tell)});
    for (int round = 0; controlled && round < kRoundsMax; ++round) {
      const auto changed = controlled->controller.reconcile(controlled->topic, health, world_.config, world_.now());
      if (!changed) world_.note("{}: {}", process_->name(), changed.error().message());
      if (!changed || !*changed) break;
    }
    world_.scheduler.sleep(kLookInterval);
  }
}

bool SimBroker::is_controller(const ClusterHealth& health) {
  const ControllerWord now = world_.controller;
  if (now.broker == id_) return true;
  const auto found = health.find(now.broker);
  const bool lives = found != health.end() && is_working(found->second) && found->second != BrokerHealth::starting;
  if (lives) return false;
  sim::step();
  if (world_.controller.epoch != now.epoch) return false;
  world_.controller = {now.epoch + 1, id_};
  world_.note("{} is the controller, epoch {}", process_->name(), now.epoch + 1);
  return true;
}

}  // namespace pg::sim
