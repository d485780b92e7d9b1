// SimBroker's life, its heart and its upkeep.
#include "tests/simulation/broker.h"

#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/kept_replica.h"
#include "tests/simulation/world.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kNap = milliseconds(20);
constexpr Duration kHandOverPatience = seconds(10);

}  // namespace

SimBroker::SimBroker(World& world, BrokerId id) : world_(world), id_(id) {}

SimBroker::~SimBroker() { process_.reset(); }

BrokerSigns SimBroker::signs() const {
  BrokerSigns signs;
  signs.alive = serving_;
  signs.heartbeat = heartbeat_;
  signs.stopping = stopping_;
  signs.disk_full = seen_full_;
  signs.disk_failed = seen_failed_;
  return signs;
}

std::shared_ptr<PageFile> SimBroker::new_page() {
  auto file = std::make_shared<PageFile>();
  file->page.leader_epoch.store(-1);
  file->page.replicated.store(1);
  file->page.role.store(static_cast<uint32_t>(Role::follower));
  publish(file->page, {});
  return file;
}

void SimBroker::start() {
  if (process_) return;
  serving_ = stopping_ = must_stop_ = ending_ = ended_ = seen_failed_ = seen_full_ = false;
  process_ = std::make_unique<Process>(world_.scheduler, fmt::format("broker {}.{}", id_.value, ++lives_));
  process_->start([this] { run(); });
  world_.note("{} starts", process_->name());
}

void SimBroker::kill() {
  if (!process_) return;
  world_.note("{} is killed", process_->name());
  process_.reset();
  serving_ = false;
}

bool SimBroker::bury() {
  if (!process_ || !ended_ || process_->running() > 0) return false;
  world_.note("{} has ended", process_->name());
  process_.reset();
  return true;
}

std::vector<std::unique_ptr<SimBroker::Kept>> SimBroker::open_all() {
  std::vector<std::unique_ptr<Kept>> all;
  for (int p = 0; p < world_.shape.partitions; ++p) {
    const auto& replicas = world_.metadata(PartitionId(p)).replicas;
    if (std::find(replicas.begin(), replicas.end(), id_) == replicas.end()) continue;
    all.push_back(std::make_unique<Kept>(world_, *process_, PartitionId(p), id_));
    (void)all.back()->mine.page();
  }
  return all;
}

void SimBroker::run() {
  open_all();
  sim::step();
  disk.stopped_cleanly = false;
  serving_ = true;
  ++heartbeat_;
  process_->start([this] { beat(); });
  process_->start([this] { keep_replicas(); });
  process_->start([this] { keep_up(); });
  process_->start([this] { control(); });
  while (!must_stop_) world_.scheduler.sleep(kNap);
  hand_over();
  const bool clean = stop_cleanly();
  world_.note("{} stops{}", process_->name(), clean ? " cleanly" : "");
  ending_ = true;
  ended_ = true;
}

void SimBroker::beat() {
  while (!ending_) {
    ++heartbeat_;
    seen_failed_ = disk.failed;
    seen_full_ = disk.full;
    world_.scheduler.sleep(world_.config.heartbeat_interval);
  }
}

void SimBroker::hand_over() {
  world_.note("{} is stopping", process_->name());
  stopping_ = true;
  const Deadline deadline = world_.now() + kHandOverPatience;
  while (world_.now() < deadline && leads_what_others_could()) world_.scheduler.sleep(kNap);
}

bool SimBroker::leads_what_others_could() const {
  const auto signs = world_.signs();
  const auto could = [&](BrokerId broker) {
    const BrokerSigns& seen = signs.at(broker);
    return broker != id_ && seen.alive && !seen.stopping && !seen.disk_failed;
  };
  return std::any_of(world_.topic.partitions.begin(), world_.topic.partitions.end(), [&](const auto& partition) {
    return partition.leader == id_ && std::any_of(partition.in_sync.begin(), partition.in_sync.end(), could);
  });
}

bool SimBroker::stop_cleanly() {
  serving_ = false;
  auto all = open_all();
  for (auto& kept : all) {
    if (kept->mine.page() && !kept->mine.await_appends()) return false;
  }
  ending_ = true;
  while (process_->running() > 1) world_.scheduler.sleep(kNap);
  std::vector<Kept*> kept;
  for (auto& replica : all) {
    if (!replica->flush()) return false;
    kept.push_back(replica.get());
  }
  if (disk.failed || !note_checkpoints(kept)) return false;
  const bool doubtful = std::any_of(kept.begin(), kept.end(), [](Kept* replica) {
    const auto page = replica->mine.page();
    return !page || (*page)->unclean.load() != 0 || (*page)->damaged.load() != 0 || (*page)->failed.load() != 0;
  });
  sim::step();
  disk.stopped_cleanly = !doubtful;
  return disk.stopped_cleanly;
}

void SimBroker::keep_up() {
  auto all = open_all();
  std::vector<Kept*> kept;
  for (auto& replica : all) kept.push_back(replica.get());
  while (!ending_) {
    for (Kept* replica : kept) {
      (void)replica->flush();
      if (world_.shape.retained > 0) (void)replica->mine.retain(world_.shape.retained);
    }
    if (world_.random().one_in(4)) (void)note_checkpoints(kept);
    world_.scheduler.sleep(world_.between(milliseconds(20), milliseconds(500)));
  }
}

Result<> SimBroker::note_checkpoints(const std::vector<Kept*>& all) {
  std::vector<std::pair<Kept*, std::pair<Offset, Offset>>> noted;
  for (Kept* kept : all) {
    const auto page = kept->mine.page();
    if (page) noted.push_back({kept, {known_high_watermark(**page), Offset((*page)->flushed.load())}});
  }
  if (disk.failed) return fail(Errc::io, "the disk has failed");
  sim::step();
  for (auto& [kept, offsets] : noted) kept->place.high_watermark = offsets.first;
  for (auto& [kept, offsets] : noted) {
    const auto page = kept->mine.page();
    const Uninterrupted locked;
    if (!page || Offset((*page)->flushed.load()) < offsets.second) continue;
    kept->place.recovery_point = std::max(kept->place.recovery_point, offsets.second);
  }
  return {};
}

}  // namespace pg::sim
