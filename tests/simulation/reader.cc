#include "tests/simulation/reader.h"

#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/mutation.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;

int64_t value_of(const ScannedBatch& batch) {
  int64_t value = 0;
  std::copy(batch.bytes.begin(), batch.bytes.end(), reinterpret_cast<std::byte*>(&value));
  return value;
}

}  // namespace

SimReader::SimReader(World& world, std::string name, Kind kind) : Client(world, std::move(name)), kind_(kind) {
  process_.start([this] { run(); });
}

void SimReader::run() {
  for (;;) {
    const PartitionId partition = any_partition();
    // Another process, which begins at the log's start.
    if (world_.random().one_in(40)) sources_[partition] = Source();
    if (!read_some(partition)) let_go_of_others(partition);
    world_.scheduler.sleep(world_.between(milliseconds(1), milliseconds(50)));
  }
}

Result<> SimReader::read_some(PartitionId partition) {
  SimReplica& log = leader(partition);
  Source& source = sources_[partition];
  if (!source.begun) PG_CHECK(begin(log, source));
  PG_ASSIGN(const Offset end, end_of(log));
  for (;;) {
    PG_ASSIGN(const bool due, is_due(log, source));
    if (due) PG_CHECK(go_back_if_lost(log, source));
    Kept& kept = source.kept;
    PG_ASSIGN(const StatePage* const page, log.page());
    kept.next = std::max(kept.next, std::min(read_position(*page).log_start, end));
    if (kept.next >= end) return {};
    PG_ASSIGN(const auto batch, log.read(kept.next, end));
    if (!batch) return {};
    const LeaderEpoch epoch = batch->header.leader_epoch;
    const int64_t value = value_of(*batch);
    if (is_due(source, epoch)) {
      // A table takes its end from a leader; there it is another one.
      if (kind_ == Kind::table) return {};
      PG_ASSIGN(const bool went_back, go_back_if_lost(log, source));
      if (went_back) continue;
    }
    source.trail.read(epoch, kept.next);
    source.epochs[kept.next] = epoch;
    keep(partition, log.broker(), source, value);
  }
}

// EpochGuard::begin().
Result<> SimReader::begin(SimReplica& log, Source& source) {
  PG_ASSIGN(const StatePage* const page, log.page());
  const LeaderEpoch epoch(page->leader_epoch.load());
  source.kept = {};
  source.epochs.clear();
  source.compared.reset();
  source.trail = EpochTrail(epoch);
  if (leads_in(*page, epoch)) {
    source.compared = Compared{log.broker(), log.openings(), epoch};
  } else {
    PG_ASSIGN(const EpochHistory history, log.epochs());
    source.trail = EpochTrail(history.empty() ? LeaderEpoch(-1) : history.back().epoch);
  }
  source.begun = true;
  return {};
}

// EpochGuard::is_due().
Result<bool> SimReader::is_due(SimReplica& log, const Source& source) {
  PG_ASSIGN(const StatePage* const page, log.page());
  const LeaderEpoch epoch(page->leader_epoch.load());
  const bool changed = !source.compared || *source.compared != Compared{log.broker(), log.openings(), epoch};
  return broken_rule != Mutation::no_epoch_compare && changed && leads_in(*page, epoch);
}

bool SimReader::is_due(const Source& source, LeaderEpoch batch) const {
  return broken_rule != Mutation::no_epoch_compare && (!source.compared || batch > source.compared->epoch);
}

bool SimReader::has_compared(PartitionId partition, LeaderEpoch epoch) {
  const auto& compared = sources_[partition].compared;
  return broken_rule == Mutation::no_epoch_compare || (compared && compared->epoch >= epoch);
}

// EpochGuard::compare(), and what its users do then: a consumer goes on where the log leaves what it has, a table
// begins again.
Result<bool> SimReader::go_back_if_lost(SimReplica& log, Source& source) {
  PG_ASSIGN(const StatePage* page, log.page());
  const Compared now{log.broker(), log.openings(), LeaderEpoch(page->leader_epoch.load())};
  PG_ASSIGN(const EpochHistory history, log.epochs());
  PG_ASSIGN(page, log.page());
  const LogPosition position = read_position(*page);
  Kept& kept = source.kept;
  const Offset passed = kept.next, shared = source.trail.shared_end(history, position.log_end, passed);
  source.compared = now;
  if (shared >= passed) return false;
  world_.note("{}: what it has from {} to {} is lost", process_.name(), shared.value, passed.value);
  if (kind_ == Kind::table) return begin(log, source).map([] { return true; });
  kept.records.erase(kept.records.lower_bound(shared), kept.records.end());
  source.epochs.erase(source.epochs.lower_bound(shared), source.epochs.end());
  source.trail = EpochTrail(now.epoch);
  for (const auto& [offset, epoch] : source.epochs) source.trail.read(epoch, offset);
  kept.next = std::max(shared, std::min(position.log_start, passed));
  return true;
}

// A consumer reads to the high watermark; a table reads what is durable on all replicas in sync (LogTable::see_end).
Result<Offset> SimReader::end_of(SimReplica& log) {
  PG_ASSIGN(StatePage* const page, log.page());
  if (kind_ == Kind::consumer) return committed_end(*page, true);
  const LeaderEpoch epoch(page->leader_epoch.load());
  const Offset end = read_position(*page).log_end;
  raise(page->flush_wanted, end.value);
  PG_CHECK(log.flush());
  PG_CHECK(log.wait_committed({end, end, epoch}, true, world_.now() + milliseconds(100)));
  return end;
}

void SimReader::keep(PartitionId partition, BrokerId broker, Source& source, int64_t value) {
  const Uninterrupted alone;
  Kept& kept = source.kept;
  Ledger& ledger = world_.ledger(partition);
  kept.records[kept.next] = value;
  if (ledger.read(world_.place(partition, broker), kept.next, value) && source.losses != ledger.losses()) {
    source.losses = ledger.losses();
    ledger.compare(process_.name(), kept.records);
  }
  kept.next = kept.next + 1;
}

}  // namespace pg::sim
