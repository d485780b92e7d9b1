// SimReplica: opening, the page and how it is made anew, locks, reading.
#include "tests/simulation/sim_replica.h"

#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/held_lock.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/world.h"

namespace pg::sim {
namespace {

// As in disk_replica.cc.
constexpr Duration kLookInterval = std::chrono::milliseconds(10);

}  // namespace

SimReplica::SimReplica(World& world, const Process& process, Place& place)
    : world_(world), process_(process), place_(place) {}

SimReplica::~SimReplica() { close(); }

void SimReplica::close() {
  if (page_) --files_->mapped;
  page_.reset();
  files_.reset();
}

bool SimReplica::is_current() const { return page_ && !page_->stale && files_ == place_.files; }

Result<> SimReplica::check_disk() const {
  if (place_.disk->failed) return fail(Errc::io, "the disk has failed");
  return {};
}

// PartitionLog::state, and how often DiskReplica asks for it.
Result<> SimReplica::open() {
  step();
  if (page_ && looked_ && world_.now() - *looked_ < kLookInterval) return {};
  return reopen();
}

Result<> SimReplica::reopen() {
  if (!is_current()) {
    close();
    if (!place_.files) return fail(Errc::not_found, "the replica is lost");
    PG_CHECK(check_disk());
    files_ = place_.files;
    PG_CHECK(rebuild());
    page_ = files_->page;
    ++files_->mapped;
    ++openings_;
  }
  looked_ = world_.now();
  return {};
}

// What recover_log() finds, as a page. Nobody may have the old one mapped.
Result<> SimReplica::rebuild() {
  step();
  const Uninterrupted alone;
  if (files_ != place_.files) return fail(Errc::not_found, "the replica is lost");
  if (files_->page) return {};  // somebody else was first
  if (files_->mapped > 0) return fail(Errc::busy, "others use the old state");
  ReplicaFiles& files = *files_;
  if (files.end() < place_.recovery_point) {
    world_.fail(fmt::format("broker {}: the log ends at {}, below its recovery point {}", place_.broker.value,
                            files.end().value, place_.recovery_point.value));
  }
  if (files.end() < place_.log_start) files.restart(place_.log_start);
  EpochHistory epochs = files.epochs();
  while (!epochs.empty() && epochs.back().start_offset > files.end()) epochs.pop_back();
  if (epochs.empty()) epochs.push_back({LeaderEpoch(0), Offset(0)});
  if (!files.epochs().empty() && epochs.back().epoch < files.epochs().back().epoch)
    open_epoch(epochs, files.epochs().back().epoch, files.end());
  files.write_epochs(epochs);
  files.sync_epochs();

  auto made = std::make_shared<PageFile>();
  StatePage& page = made->page;
  page.leader_epoch.store(epochs.back().epoch.value);
  page.flushed.store(std::min(place_.recovery_point, files.end()).value);
  page.replicated.store(1);
  page.role.store(static_cast<uint32_t>(Role::follower));
  page.high_watermark.store(std::min(place_.high_watermark, files.end()).value);
  page.unclean.store(!place_.disk->stopped_cleanly && broken_rule != Mutation::unclean_leads);
  LogPosition position;
  position.log_end = files.end();
  position.log_start = std::min(place_.log_start, files.end());
  publish(page, position);
  files.known_damage = false;
  files.page = std::move(made);
  world_.note("{}: state of broker {}'s replica made anew: epoch {}, end {}, {}", process_.name(), place_.broker.value,
              epochs.back().epoch.value, files.end().value, place_.disk->stopped_cleanly ? "clean" : "unclean");
  return {};
}

Result<SimReplica::HeldLock> SimReplica::lock(Lock ReplicaFiles::*which) {
  constexpr Duration kPatience = std::chrono::seconds(1), kPoll = std::chrono::milliseconds(1);
  const Deadline deadline = world_.now() + kPatience;
  for (;;) {
    step();
    Lock& wanted = (*files_).*which;
    if (wanted.holder == nullptr) return HeldLock(files_, wanted, this);
    if (world_.now() >= deadline) return fail(Errc::timed_out, "timed out waiting for a lock");
    world_.scheduler.sleep(kPoll);
  }
}

// lock_for_writing() in log_append.cc.
Result<SimReplica::Writing> SimReplica::begin_write(bool must_lead) {
  for (;;) {
    if (!page_) PG_CHECK(reopen());
    PG_ASSIGN(HeldLock held, lock(&ReplicaFiles::append_lock));
    step();
    if (is_current()) {
      if (must_lead) PG_CHECK(check_may_append());
      PG_CHECK(check_disk());
      Writing writing{std::move(held), read_position(mapped())};
      // A restart that was interrupted: the new segment was there before its end was published, and what comes before
      // is nobody's.
      if (files_->end() < writing.position.log_start) files_->restart(writing.position.log_start);
      if (files_->end() < writing.position.log_end) world_.fail("the files hold less than was published");
      if (files_->end() > writing.position.log_end) cut_dead_writers_tail(writing.position.log_end);
      return writing;
    }
    held = HeldLock();
    PG_CHECK(reopen());
  }
}

void SimReplica::cut_dead_writers_tail(Offset end) {
  files_->cut(end);
  files_->sync();
}

Result<> SimReplica::check_may_append() const {
  const StatePage& page = mapped();
  if (page.failed.load() != 0) return fail(Errc::io, "a flush failed");
  if (page.role.load() != static_cast<uint32_t>(Role::leader)) return fail(Errc::not_leader, "not the leader");
  if (page.leader_epoch.load() < page.fenced.load()) return fail(Errc::fenced, "fenced");
  step();
  return world_.is_serving(place_.broker) ? Result<>() : fail(Errc::not_leader, "its broker does not run");
}

Result<StatePage*> SimReplica::page() {
  PG_CHECK(open());
  step();
  return &mapped();
}

Result<EpochHistory> SimReplica::epochs() {
  PG_CHECK(open());
  PG_CHECK(check_disk());
  step();
  return files_->epochs();
}

Result<std::optional<ScannedBatch>> SimReplica::read(Offset from, Offset end) {
  PG_CHECK(open());
  PG_CHECK(check_disk());
  step();
  if (from >= end) return std::nullopt;
  const Entry* const entry = files_->find(from);
  // What was cut off meanwhile may be missing, or half of it there.
  if (entry == nullptr && world_.random().one_in(2)) return std::nullopt;
  if (entry == nullptr || entry->unreadable) return fail(Errc::corrupt, "no batch can be read");
  ScannedBatch batch;
  batch.header.base_offset = from;
  batch.header.leader_epoch = entry->epoch;
  batch.header.batch_length = 1;
  value_read_ = entry->value;
  batch.bytes = ByteView(reinterpret_cast<const std::byte*>(&value_read_), sizeof value_read_);
  return batch;
}

void SimReplica::fence(LeaderEpoch epoch) {
  if (broken_rule == Mutation::no_fence || !open()) return;
  step();
  world_.note("{}: fences partition {} of broker {} below epoch {}", process_.name(), place_.partition.value,
              place_.broker.value, epoch.value);
  raise(mapped().fenced, epoch.value);
}

}  // namespace pg::sim
