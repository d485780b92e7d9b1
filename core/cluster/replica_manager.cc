#include "core/cluster/replica_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/cluster/broker_set.h"

namespace pg {
namespace {

constexpr Duration kRetryInterval = std::chrono::milliseconds(100);
constexpr Duration kPatience = std::chrono::seconds(1);
constexpr Duration kFullInterval = std::chrono::seconds(2);

}  // namespace

ReplicaManager::ReplicaManager(const Home& home, BrokerId self, std::function<void(const std::string&)> tell)
    : home_(home), self_(self), tell_(std::move(tell)), topics_(home) {}

ReplicaManager::Kept::Kept(const Home& home, std::shared_ptr<const TopicMetadata> described, PartitionId p,
                           BrokerId self)
    : topic(std::move(described)), partition(p), mine(home, *topic, p, self), keeper(self, mine) {}

void ReplicaManager::turn() {
  take_over_topics();
  std::vector<WakeWord> words;
  if (const auto state = home_.cluster_state()) words.push_back(state->metadata_word());
  // Each announces its sleep before it looks for work, so that what comes after the look wakes it.
  for (auto& [name, kept] : kept_) {
    if (const auto word = word_of(*kept)) words.push_back(*word);
  }
  bool worked = false;
  Clock& clock = home_.env().clock;
  for (auto& [name, kept] : kept_) {
    const Deadline began = clock.now();
    if (began < kept->retry_at) continue;
    const auto done = step(*kept);
    if (done) {
      worked |= *done;
      kept->said.clear();
      continue;
    }
    // One that blocks until its patience ends must not take the time of all others.
    const Deadline ended = clock.now();
    kept->retry_at = ended + std::max<Duration>(kRetryInterval, ended - began);
    if (kept->said != done.error().message()) {
      kept->said = done.error().message();
      tell_(fmt::format("'{}-{}': {}", name.topic, name.partition.value, kept->said));
    }
  }
  if (!worked) clock.wait(words, kSleepPollInterval);
}

bool ReplicaManager::is_full() const {
  return std::any_of(kept_.begin(), kept_.end(),
                     [](const auto& entry) { return entry.second->full_since.has_value(); });
}

void ReplicaManager::take_over_topics() {
  topics_.refresh();
  const auto& topics = topics_.topics();
  std::erase_if(kept_, [&](const auto& entry) {
    const auto topic = topics.find(entry.first.topic);
    return topic == topics.end() || topic->second->id != entry.second->topic->id;
  });
  for (const auto& [name, topic] : topics) take_over(topic);
}

void ReplicaManager::take_over(const std::shared_ptr<const TopicMetadata>& topic) {
  for (size_t p = 0; p < topic->partitions.size(); ++p) {
    const PartitionMetadata& metadata = topic->partitions[p];
    if (!metadata.is_replicated() || !is_in(metadata.replicas, self_)) continue;
    const PartitionId partition(static_cast<int32_t>(p));
    auto& kept = kept_[{topic->name, partition}];
    if (kept && kept->topic == topic) continue;
    if (!kept) kept = std::make_unique<Kept>(home_, topic, partition, self_);
    kept->topic = topic;
    kept->retry_at = {};
    const auto config = to_log_config(topic->config);
    if (config) kept->min_in_sync = config->min_in_sync_replicas;
  }
}

ReplicaLog* ReplicaManager::other(Kept& kept, BrokerId broker) {
  if (broker == kNoBroker || broker == self_) return nullptr;
  auto& found = kept.others[broker];
  if (!found) found = std::make_unique<DiskReplica>(home_, *kept.topic, kept.partition, broker);
  return found.get();
}

// Only who is about to lead asks for what the leader before may have had alone.
ReplicaLog* ReplicaManager::previous_of(Kept& kept) {
  return kept.metadata().leader == self_ ? other(kept, kept.metadata().previous_leader) : nullptr;
}

Result<bool> ReplicaManager::step(Kept& kept) {
  const auto page = kept.mine.page();
  const bool failed = page && (*page)->failed.load() != 0;
  // Who has a state page mapped keeps it from being made anew: two brokers that both wait would wait for each other.
  if (!page || failed) kept.others.clear();
  const bool unusable = !page && (page.error().code == Errc::not_found || page.error().code == Errc::corrupt);
  if (failed) return restore(kept, {Errc::io, "a flush to disk failed", kept.mine.log()->directory(), {}, 0});
  if (unusable) return restore(kept, page.error());
  PG_CHECK(page);
  const PartitionMetadata& metadata = kept.metadata();
  const bool leads = leads_in(**page, metadata.leader_epoch);
  auto done =
      kept.keeper.step(metadata, kept.min_in_sync, {other(kept, metadata.leader), leads ? nullptr : previous_of(kept)});
  // Nothing else is kept open: who has a state page mapped keeps it from being made anew.
  std::erase_if(kept.others, [&](const auto& entry) { return entry.first != metadata.leader; });
  if (const auto now = kept.mine.page()) note_room(kept, **now, done);
  return done;
}

// A disk that was full may have room again; the next batch shows it.
void ReplicaManager::note_room(Kept& kept, StatePage& page, const Result<bool>& done) {
  const Deadline now = home_.env().clock.now();
  if (!done && done.error().code == Errc::no_space) page.full.store(1);
  if (page.full.load() == 0) return kept.full_since.reset();
  if (!kept.full_since) kept.full_since = now;
  if (done && now - *kept.full_since > kFullInterval) page.full.store(0);
}

// A replica that is lost is never taken for a new one: first it must be out of sync in the metadata. Then it begins
// empty, and is filled by its leader.
Result<bool> ReplicaManager::restore(Kept& kept, const Error& why) {
  const PartitionMetadata& metadata = kept.metadata();
  PG_ASSIGN(TopicMetadata topic, home_.describe_topic(kept.topic->name));
  if (topic.id != kept.topic->id) return false;
  if (is_in(metadata.in_sync, self_) || metadata.leader == self_) return tl::unexpected(why);
  PG_CHECK(home_.check_log_directory(self_));
  ReplicaLog* const leader = other(kept, metadata.leader);
  if (leader == nullptr) return tl::unexpected(why);
  PG_CHECK(kept.keeper.withdraw(metadata, *leader));
  const Deadline deadline = home_.env().clock.after(kPatience);
  if (why.code != Errc::not_found) {
    PG_ASSIGN(auto spec, home_.replica_spec(topic, kept.partition, self_, Access::read_write));
    PG_CHECK(PartitionLog::remove(home_.env(), std::move(spec), deadline));
  }
  PG_CHECK(home_.make_replica(topic, kept.partition, self_, ReplicaMaking::again, deadline));
  tell_(fmt::format("'{}-{}': recreated, to be copied from broker {}: {}", topic.name, kept.partition.value,
                    metadata.leader.value, why.message()));
  return true;
}

std::optional<WakeWord> ReplicaManager::word_of(Kept& kept) {
  const BrokerId leader = kept.metadata().leader;
  if (leader == self_) return std::nullopt;
  auto& log = kept.others[leader];
  return log ? log->prepare_to_follow() : std::nullopt;
}

}  // namespace pg
