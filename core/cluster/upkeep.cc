#include "core/cluster/upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/cluster/broker_set.h"
#include "core/log/compaction.h"
#include "core/log/log_directory.h"
#include "core/log/replica_words.h"
#include "core/log/retention.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr Duration kPatience = seconds(1);
constexpr Duration kCheckpointInterval = seconds(5);
constexpr Duration kCleanUpInterval = seconds(30);
constexpr Duration kFinishPatience = seconds(30);

}  // namespace

Upkeep::Upkeep(const Home& home, BrokerId self, std::function<void(const std::string&)> tell)
    : home_(home), self_(self), tell_(std::move(tell)), topics_(home) {}

void Upkeep::take_over_topics() {
  topics_.refresh();
  const auto& topics = topics_.topics();
  std::erase_if(kept_, [&](const auto& entry) {
    const auto topic = topics.find(entry.first.topic);
    return topic == topics.end() || topic->second->id != entry.second.topic->id;
  });
  for (const auto& [name, topic] : topics) {
    for (size_t p = 0; p < topic->partitions.size(); ++p) {
      if (!is_in(topic->partitions[p].replicas, self_)) continue;
      const PartitionId partition(static_cast<int32_t>(p));
      Kept& kept = kept_[{name, partition}];
      kept.topic = topic;
      if (!kept.replica) kept.replica = std::make_unique<DiskReplica>(home_, *topic, partition, self_);
    }
  }
}

void Upkeep::open_all() {
  take_over_topics();
  for (auto& [name, kept] : kept_) {
    const PartitionMetadata& metadata = kept.topic->partitions[static_cast<size_t>(name.partition.value)];
    if (!metadata.is_replicated()) continue;
    const auto page = kept.replica->page();
    if (!page) tell_(fmt::format("'{}-{}': {}", name.topic, name.partition.value, page.error().message()));
    // Whoever elected while this broker did not run may not have reached the page.
    else
      kept.replica->fence(metadata.leader_epoch);
  }
}

void Upkeep::turn() {
  take_over_topics();
  const Deadline now = home_.env().clock.now();
  for (auto& [name, kept] : kept_) (void)flush(kept);  // a failure is the replica's, which says so to everybody
  if (now >= checkpoints_due_) {
    checkpoints_due_ = now + kCheckpointInterval;
    if (const auto noted = note_checkpoints(); !noted) tell_(noted.error().message());
  }
  if (now < clean_up_due_) return;
  clean_up_due_ = now + kCleanUpInterval;
  for (auto& [name, kept] : kept_) clean_up(kept);
}

// Of a partition with one replica, whoever writes says when it is flushed.
Result<> Upkeep::flush(Kept& kept) {
  PG_ASSIGN(const StatePage* const page, kept.replica->page());
  const bool behind = Offset(page->flushed.load()) < read_position(*page).log_end;
  if (page->replicated.load() == 0 || !behind || page->failed.load() != 0) return {};
  return kept.replica->flush();
}

void Upkeep::clean_up(Kept& kept) {
  const auto page = kept.replica->page();
  if (!page || (*page)->failed.load() != 0) return;
  PartitionLog& log = *kept.replica->log();
  const LogConfig config = log.config();
  const Offset active = read_position(**page).active_segment;
  const bool rolled = kept.active != active;
  const auto now_ms = believed_wall_ms(home_.env(), **page);
  const bool needs_clock = config.cleanup_compact || (config.cleanup_delete && config.retention_ms >= 0);
  if (needs_clock && !now_ms && !kept.clock_said) tell_(clock_notice(log.name()));
  kept.clock_said = !now_ms;
  if (now_ms) kept.active = active;
  const Deadline deadline = home_.env().clock.after(kPatience);
  const bool leads = (*page)->role.load() == static_cast<uint32_t>(Role::leader);
  // A follower's log begins where its leader's does.
  if (leads && config.may_delete()) (void)apply_retention(log, now_ms, ActiveSegmentToo::no, deadline);
  if (!config.cleanup_compact || !rolled || !now_ms) return;
  const auto compacted = compact_log(log, *now_ms, deadline);
  if (!compacted && compacted.error().code == Errc::corrupt) tell_(compacted.error().message());
  (void)log.delete_old_segments(milliseconds(config.file_delete_delay_ms), deadline);
}

Result<> Upkeep::note_checkpoints() {
  OffsetCheckpoint committed, flushed;
  for (auto& [name, kept] : kept_) {
    const auto page = kept.replica->page();
    if (!page || (*page)->replicated.load() == 0) continue;
    committed[name] = known_high_watermark(**page);
    flushed[name] = Offset((*page)->flushed.load());
  }
  if (committed.empty()) return {};
  LogDirectory directory(home_.env(), home_.log_directory(self_));
  const Deadline deadline = home_.env().clock.after(kPatience);
  // Not for a log that was cut or made again meanwhile: its checkpoints were lowered before, and must not be raised
  // again.
  PG_CHECK(directory.store_high_watermarks(committed, deadline, [&](const TopicPartition& name) {
    const auto page = kept_.at(name).replica->page();
    return !page || known_high_watermark(**page) < committed[name];
  }));
  return directory.raise_recovery_points(flushed, deadline, [&](const TopicPartition& name) {
    return !kept_.at(name).replica->is_flushed_to(flushed[name]);
  });
}

Result<> Upkeep::await_appends() {
  for (auto& [name, kept] : kept_) {
    if (kept.replica->page()) PG_CHECK(kept.replica->log()->await_appends(home_.env().clock.after(kFinishPatience)));
  }
  return {};
}

bool Upkeep::has_doubtful() {
  return std::any_of(kept_.begin(), kept_.end(), [](const auto& entry) {
    const auto page = entry.second.replica->page();
    return !page || (*page)->unclean.load() != 0 || (*page)->damaged.load() != 0 || (*page)->failed.load() != 0;
  });
}

Result<> Upkeep::finish() {
  for (auto& [name, kept] : kept_) PG_CHECK(flush(kept));
  return note_checkpoints();
}

}  // namespace pg
