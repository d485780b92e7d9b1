#include "tests/simulation/ledger.h"

#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/world.h"

namespace pg::sim {

void Ledger::fail(const std::string& why) const { world_.fail(fmt::format("partition {}: {}", partition_.value, why)); }

void Ledger::look() {
  for (const Place* place : world_.places(partition_)) {
    if (place->files && place->files->page) look_at(*place);
  }
  check_in_sync();
}

void Ledger::look_at(const Place& place) {
  Seen& seen = seen_[place.broker];
  const StatePage& page = place.files->page->page;
  if (seen.files.lock() != place.files || seen.page.lock() != place.files->page) {
    const LeaderEpoch excused = seen.excused;
    seen = {};
    seen.files = place.files;
    seen.page = place.files->page;
    seen.excused = excused;
  }
  const Offset high_watermark = known_high_watermark(page);
  const LeaderEpoch epoch(page.leader_epoch.load());
  const bool leads =
      page.role.load() == static_cast<uint32_t>(Role::leader) && InSync::unpack(page.in_sync.load()).epoch == epoch;
  if (leads && seen.leads == epoch && high_watermark < seen.high_watermark) {
    fail(fmt::format("broker {}: the high watermark went back from {} to {} in epoch {}", place.broker.value,
                     seen.high_watermark.value, high_watermark.value, epoch.value));
  }
  seen.leads = leads ? epoch : LeaderEpoch(-1);
  seen.agrees = std::min(seen.agrees, place.files->lowest_end);
  seen.checked = std::min(seen.checked, place.files->lowest_end);
  place.files->lowest_end = place.files->end();
  if (page.damaged.load() != 0 && place.files->has_unreadable()) place.files->known_damage = true;
  // A process that has looked at its page before the election may still raise its high watermark to what was committed
  // then.
  const bool follows = seen.is_excused() && epoch >= seen.excused && high_watermark <= end();
  if (follows && agreement(*place.files, seen.agrees) >= high_watermark) seen.excused = LeaderEpoch(-1);
  if (high_watermark > seen.checked && !seen.is_excused()) check_high_watermark(place, seen);
  seen.high_watermark = high_watermark;
  seen.checked = std::min(seen.checked, high_watermark);
}

// Records below a high watermark are the same wherever somebody claims that they are committed.
void Ledger::check_high_watermark(const Place& place, Seen& seen) {
  ReplicaFiles& files = *place.files;
  const Offset claimed = known_high_watermark(files.page->page);
  for (Offset at = std::max(seen.checked, start_); at < claimed; at = at + 1) {
    const Entry* const entry = files.find(at);
    if (entry == nullptr)
      return fail(fmt::format("broker {}: nothing at {}, below its high watermark {}", place.broker.value, at.value,
                              claimed.value));
    if (at >= end())
      add(at, entry->value);
    else if (records_[static_cast<size_t>(at.value)].value != entry->value) {
      return fail(fmt::format("broker {}: {} at {}, below its high watermark {}; committed was {}", place.broker.value,
                              entry->value, at.value, claimed.value, records_[static_cast<size_t>(at.value)].value));
    }
  }
  seen.checked = claimed;
}

void Ledger::add(Offset offset, int64_t value) {
  if (offset != end()) return fail(fmt::format("committed at {}, though nothing is at {}", offset.value, end().value));
  const auto before = offsets_.find(value);
  if (before != offsets_.end()) {
    fail(fmt::format("{} is committed twice, at {} and {}", value, before->second.value, offset.value));
  }
  offsets_[value] = offset;
  records_.push_back({value});
}

// Up to where the log has what the ledger has.
Offset Ledger::agreement(ReplicaFiles& files, Offset from) const {
  Offset at = std::max(from, start_);
  for (; at < end(); at = at + 1) {
    const Entry* const entry = files.find(at);
    if (entry == nullptr || entry->value != records_[static_cast<size_t>(at.value)].value) break;
  }
  return at;
}

// Whether it may be elected, as things are.
bool Ledger::is_sound(const Place& place) const {
  if (!place.files || !place.files->page) return false;
  const StatePage& page = place.files->page->page;
  return page.unclean.load() == 0 && page.damaged.load() == 0 && page.failed.load() == 0;
}

LeaderEpoch Ledger::last_opened() const { return opened_.empty() ? LeaderEpoch(-1) : opened_.rbegin()->first; }

// Somebody was elected who may lack what is committed, and nobody leads yet since then.
bool Ledger::is_lossy_election_open() const { return world_.metadata(partition_).lossy_epoch > last_opened(); }

// Every replica of the ISR has all that is committed.
void Ledger::check_in_sync() {
  if (is_lossy_election_open()) return;
  for (const BrokerId broker : world_.metadata(partition_).in_sync) {
    Place& place = world_.place(partition_, broker);
    if (!is_sound(place)) continue;
    Seen& seen = seen_[broker];
    if (seen.agrees < end()) seen.agrees = agreement(*place.files, seen.agrees);
    if (seen.agrees < end()) {
      return fail(fmt::format("broker {} is in sync, and lacks what is committed at {} of {}", broker.value,
                              seen.agrees.value, end().value));
    }
    if (place.destroyed && !place.files->has_unreadable() && !place.disk->failed) place.destroyed = false;
    if (place.files->known_damage)
      return fail(fmt::format("broker {} is in sync, and its damage is forgotten", broker.value));
  }
}

void Ledger::acknowledge(Promise promise, Offset offset, int64_t value, LeaderEpoch epoch) {
  ++acknowledged_;
  look();
  if (promise == Promise::leader) {
    // One that is spoilt already need not keep it.
    const Place& by = world_.place(partition_, opened_.at(epoch));
    if (by.spoilt || by.destroyed) return;
    if (offset >= end()) own_.push_back({offset, value});
    if (last_opened() > epoch) {
      const Place& leader = world_.place(partition_, opened_.rbegin()->second);
      const Entry* const entry = leader.files ? leader.files->find(offset) : nullptr;
      if (entry == nullptr || entry->value != value)
        fail(fmt::format("{} at {} was acknowledged by a leader that is none any more", value, offset.value));
    }
    return;
  }
  const auto is_committed = [&] {
    return offset < end() && records_[static_cast<size_t>(offset.value)].value == value;
  };
  if (!is_committed() && was_committed_before(value, offset, epoch)) return;
  if (offset >= end() && !add_unnoted(offset)) return;
  if (!is_committed()) {
    return fail(fmt::format("{} at {} was acknowledged, and is not committed", value, offset.value));
  }
  Record& record = records_[static_cast<size_t>(offset.value)];
  record.promised = true;
  record.flushed |= promise == Promise::flushed;
}

// A producer that froze after it had seen the record committed says so late. What came between could not take the
// record without min.insync.replicas destroyed disks, as if it had said so at once. A producer that has looked at a
// later leader has no excuse.
bool Ledger::was_committed_before(int64_t value, Offset offset, LeaderEpoch epoch) const {
  const auto lost = lost_.find(value);
  return lost != lost_.end() && lost->second.offset == offset && epoch < lost->second.epoch &&
         lost->second.destroyed >= world_.shape.min_in_sync;
}

// What was acknowledged is committed, though the high watermark that said so was never noted, or is lost with its page.
// False: so are all that had it.
bool Ledger::add_unnoted(Offset offset) {
  for (const BrokerId broker : world_.metadata(partition_).in_sync) {
    const Place& place = world_.place(partition_, broker);
    if (!place.files || place.files->find(end()) == nullptr || place.files->end() <= offset) continue;
    while (end() <= offset) add(end(), place.files->find(end())->value);
    check_in_sync();
    return true;
  }
  if (destroyed() < world_.shape.min_in_sync) fail(fmt::format("{} was acknowledged, and nobody has it", offset.value));
  return false;
}

int Ledger::destroyed() const {
  const auto places = world_.places(partition_);
  return static_cast<int>(
      std::count_if(places.begin(), places.end(), [](const Place* place) { return place->destroyed; }));
}

void Ledger::opened(const Place& place, ReplicaFiles& files, LeaderEpoch epoch) {
  const Uninterrupted alone;
  look();
  // It may open the epoch of the election before: somebody took a log that was about to be led for one that is lost.
  const PartitionMetadata& metadata = world_.metadata(partition_);
  const bool lossy = is_lossy_election_open() && (epoch >= metadata.lossy_epoch || place.broker == metadata.leader);
  const auto [before, first] = opened_.emplace(epoch, place.broker);
  if (!first)
    fail(fmt::format("epoch {} was opened by broker {} and by broker {}", epoch.value, before->second.value,
                     place.broker.value));
  if (last_opened() > epoch) return;  // too late: nobody follows it
  const Offset agrees = agreement(files, start_);
  if (lossy)
    lose_from(std::min(agrees, files.end()), place, epoch);
  else if (agrees < end())
    fail(fmt::format("the leader of epoch {}, broker {}, lacks what is committed at {}", epoch.value,
                     place.broker.value, agrees.value));
  world_.place(partition_, place.broker).spoilt = false;
  for (const Own& own : own_) {
    const Entry* const entry = files.find(own.offset);
    if (own.offset < start_ || (entry != nullptr && entry->value == own.value)) continue;
    fail(fmt::format("the leader of epoch {}, broker {}, lacks {} at {}, which the leader before had acknowledged",
                     epoch.value, place.broker.value, own.value, own.offset.value));
  }
  std::erase_if(own_, [&](const Own& own) { return own.offset < end(); });
}

// A leader was elected that may lack what was committed, but nothing that had to survive.
void Ledger::lose_from(Offset offset, const Place& place, LeaderEpoch epoch) {
  world_.note("records from {} on are lost, with {} replicas destroyed", offset.value, destroyed());
  for (Offset at = offset; at < end(); at = at + 1) {
    const Record& record = records_[static_cast<size_t>(at.value)];
    if ((record.promised || record.flushed) && destroyed() < world_.shape.min_in_sync)
      fail(fmt::format("{} at {} was acknowledged, and is lost by an election", record.value, at.value));
    offsets_.erase(record.value);
    lost_[record.value] = {at, epoch, destroyed()};
  }
  if (offset < end()) ++losses_;
  records_.resize(static_cast<size_t>(std::min(offset, end()).value));
  start_ = std::min(start_, end());
  own_.clear();
  for (auto& [broker, seen] : seen_) {
    seen.agrees = std::min(seen.agrees, end());
    seen.excused = broker != place.broker ? epoch : LeaderEpoch(-1);
  }
}

bool Ledger::read(const Place& place, Offset offset, int64_t value) {
  look();
  if (seen_[place.broker].is_excused() || offset < start_) return false;
  if (offset >= end() && !add_unnoted(offset)) return false;
  if (offset >= end() || records_[static_cast<size_t>(offset.value)].value != value) {
    fail(fmt::format("a consumer read {} at {} of broker {}; that was not committed", value, offset.value,
                     place.broker.value));
  }
  return true;
}

void Ledger::compare(const std::string& reader, const std::map<Offset, int64_t>& kept) const {
  if (kept.empty()) return;
  const Offset first = std::max(start_, kept.begin()->first), last = std::min(kept.rbegin()->first, end() + -1);
  for (Offset at = first; at <= last; at = at + 1) {
    const auto has = kept.find(at);
    const int64_t value = records_[static_cast<size_t>(at.value)].value;
    if (has == kept.end()) return fail(fmt::format("{} has passed {} at {}", reader, value, at.value));
    if (has->second != value)
      return fail(fmt::format("{} has {} at {}, where {} is", reader, has->second, at.value, value));
  }
}

void Ledger::power_cut() {
  for (auto& record : records_) record.promised = record.flushed;
  own_.clear();
}

}  // namespace pg::sim
