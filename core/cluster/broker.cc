#include "core/cluster/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/cluster/controller.h"
#include "core/cluster/replica_manager.h"
#include "core/cluster/upkeep.h"
#include "core/format/path_names.h"
#include "core/log/log_directory.h"
#include "core/os/process.h"
#include "core/os/signals.h"
#include "core/store/home_notes.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr Duration kNap = milliseconds(20);
constexpr Duration kProbeInterval = milliseconds(500);
constexpr Duration kUpkeepInterval = milliseconds(500);
constexpr Duration kHandOverPatience = seconds(10);

}  // namespace

Broker::Broker(Home& home, BrokerId id, std::function<void(const std::string&)> tell)
    : home_(home), id_(id), tell_(std::move(tell)) {}

Broker::~Broker() {
  ending_ = true;
  for (auto& thread : threads_) thread.join();
}

Result<std::unique_ptr<Broker>> Broker::open(Home& home, BrokerId id, Supervised supervised,
                                             std::function<void(const std::string&)> tell) {
  std::unique_ptr<Broker> broker(new Broker(home, id, std::move(tell)));
  PG_CHECK(broker->prepare(supervised));
  return broker;
}

Result<> Broker::prepare(Supervised supervised) {
  PG_CHECK(home_.find_broker(id_));
  PG_CHECK(home_.env().files.make_directories_in(names::topics_directory(home_.path()),
                                                 names::locks_directory(home_.path())));
  PG_CHECK(lock_itself(supervised));
  PG_CHECK(home_.check_log_directory(id_));
  PG_CHECK(ClusterState::open(home_.env(), home_.path()));
  PG_ASSIGN(const ClusterMetadata cluster, home_.describe_cluster());
  PG_ASSIGN(config_, to_cluster_config(cluster.config));
  HomeNotes(home_.env(), home_.path()).broker_started(cluster.id, id_);
  // What the stop before has left is settled while its record is there; from then on it says nothing any more.
  Upkeep(home_, id_, tell_).open_all();
  PG_CHECK(LogDirectory(home_.env(), home_.log_directory(id_)).forget_clean_stop());
  PG_ASSIGN(serves_, HeldLock::acquire(*lock_, broker_lock_byte::kServes, LockMode::exclusive,
                                       home_.env().clock.after(kHandOverPatience)));
  note_start();
  return {};
}

Result<> Broker::lock_itself(Supervised supervised) {
  PG_ASSIGN(lock_, home_.env().files.open_lock(names::broker_lock(home_.path(), id_), Access::read_write));
  bool first = true;
  if (supervised == Supervised::yes) {
    PG_ASSIGN(first, lock_->try_lock(broker_lock_byte::kHasSupervisor, LockMode::exclusive));
  }
  if (first) {
    PG_ASSIGN(first, lock_->try_lock(broker_lock_byte::kRuns, LockMode::exclusive));
  }
  if (first) return {};
  PG_ASSIGN(const FileInfo lock, lock_->info());
  const auto other = lock_holder(lock, broker_lock_byte::kRuns);
  return fail(Errc::busy,
              fmt::format("another process is broker {} already{}", id_.value,
                          other ? fmt::format(": process {}", *other) : ""),
              lock_->path());
}

void Broker::note_start() {
  const auto state = home_.cluster_state();
  if (!state) return;
  BrokerSlot& slot = state->broker(id_);
  slot.stopping.store(0);
  slot.disk.store(static_cast<uint32_t>(DiskState::unknown));
  slot.pid.store(home_.env().process().pid);
  slot.started_ms.store(home_.env().clock.wall_ms());
  slot.heartbeat.fetch_add(1);
}

void Broker::start(void (Broker::*body)()) {
  threads_.emplace_back([this, body] { (this->*body)(); });
}

// In short pieces, so that an end is not waited for.
void Broker::nap(Duration duration) {
  Clock& clock = home_.env().clock;
  const Deadline until = clock.after(duration);
  while (!ending_ && clock.now() < until) clock.wait({}, std::min<Duration>(kNap, until - clock.now()));
}

Result<> Broker::run(const std::function<bool()>& must_stop) {
  start(&Broker::beat);
  start(&Broker::probe_disk);
  start(&Broker::keep_replicas);
  start(&Broker::keep_up);
  start(&Broker::control);
  while (!must_stop()) {
    PG_CHECK(check_lock());
    nap(kNap);
  }
  hand_over();
  return stop_cleanly();
}

// Somebody who deletes lock files could have two processes be this broker.
Result<> Broker::check_lock() {
  PG_ASSIGN(const FileInfo info, lock_->info());
  return info.links > 0 ? Result<>() : fail(Errc::io, "the broker's lock file was deleted", lock_->path());
}

void Broker::beat() {
  while (!ending_) {
    if (const auto state = home_.cluster_state()) state->broker(id_).heartbeat.fetch_add(1);
    nap(config_.heartbeat_interval);
  }
}

void Broker::probe_disk() {
  const std::string directory = home_.log_directory(id_), path = names::disk_probe(directory);
  while (!ending_) {
    auto probed = home_.check_log_directory(id_);
    if (probed) probed = home_.env().files.replace(path, "probe\n");
    DiskState now = full_ ? DiskState::full : DiskState::good;
    if (!probed) now = probed.error().code == Errc::no_space ? DiskState::full : DiskState::failed;
    if (const auto state = home_.cluster_state()) {
      const auto before = state->broker(id_).disk.exchange(static_cast<uint32_t>(now));
      if (before != static_cast<uint32_t>(now) && !probed) tell_(probed.error().message());
    }
    nap(kProbeInterval);
  }
}

void Broker::keep_replicas() {
  ReplicaManager manager(home_, id_, tell_);
  while (!ending_) {
    manager.turn();
    full_ = manager.is_full();
  }
}

void Broker::keep_up() {
  Upkeep upkeep(home_, id_, tell_);
  while (!ending_) {
    upkeep.turn();
    nap(kUpkeepInterval);
  }
}

void Broker::control() {
  Controller controller(home_, id_, tell_);
  std::string said;
  while (!ending_ && !retired_) {
    const auto done = controller.turn();
    const std::string trouble = done ? "" : done.error().message();
    if (trouble != said && !trouble.empty()) tell_(trouble);
    said = trouble;
    nap(Controller::kLookInterval);
  }
}

// The controller sees that this broker stops, and elects others. While nobody can take over, it still serves.
void Broker::hand_over() {
  if (const auto state = home_.cluster_state()) state->broker(id_).stopping.store(1);
  const Deadline deadline = home_.env().clock.after(kHandOverPatience);
  while (home_.env().clock.now() < deadline && stop_signal_count() < 2 && leads_what_others_could()) nap(kNap);
}

bool Broker::leads_what_others_could() {
  const auto signs = read_signs(home_);
  const auto could = [&](BrokerId broker) {
    const auto found = signs.find(broker);
    return broker != id_ && found != signs.end() && found->second.alive && !found->second.stopping &&
           !found->second.disk_failed;
  };
  TopicList topics(home_);
  topics.refresh();
  for (const auto& [name, topic] : topics.topics()) {
    for (const auto& partition : topic->partitions) {
      if (partition.leader == id_ && std::any_of(partition.in_sync.begin(), partition.in_sync.end(), could))
        return true;
    }
  }
  return false;
}

Result<> Broker::stop_cleanly() {
  retired_ = true;  // it would take itself for dead
  nap(2 * Controller::kLookInterval);
  serves_ = HeldLock();  // from here on nobody begins to append
  Upkeep upkeep(home_, id_, tell_);
  upkeep.open_all();
  PG_CHECK(upkeep.await_appends());
  ending_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  PG_CHECK(upkeep.finish());
  if (const auto cluster = home_.describe_cluster())
    HomeNotes(home_.env(), home_.path()).broker_stopped(cluster->id, id_);
  // It would speak for all of them.
  if (upkeep.has_doubtful()) return {};
  return LogDirectory(home_.env(), home_.log_directory(id_)).note_clean_stop();
}

}  // namespace pg
