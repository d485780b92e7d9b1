#include "core/store/leader.h"

#include <fmt/format.h>

#include <chrono>

#include "core/os/signals.h"

namespace pg {
namespace {

constexpr Duration kLookInterval = std::chrono::milliseconds(10);
constexpr Duration kOpenPatience = std::chrono::seconds(1);

// Null: nobody leads now.
Result<std::unique_ptr<PartitionLog>> try_leader(const Home& home, TopicMetadata& topic, PartitionId partition) {
  PG_ASSIGN(TopicMetadata now, home.describe_topic(topic.name));
  if (now.id != topic.id) return fail(Errc::not_found, fmt::format("topic '{}' was deleted", topic.name));
  topic = std::move(now);
  const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
  PG_ASSIGN(const bool alive, home.is_broker_alive(metadata.leader));
  if (!alive) return nullptr;
  auto log = home.open_partition(topic, partition, Access::read_write, home.env().clock.after(kOpenPatience));
  // What is wrong with its log, its broker sees too: another one will lead.
  if (!log) return log.error().code == Errc::not_found ? std::move(log) : Result<std::unique_ptr<PartitionLog>>(nullptr);
  return (*log)->current_state()->leads_in(metadata.leader_epoch) ? std::move(log) : Result<std::unique_ptr<PartitionLog>>(nullptr);
}

}  // namespace

Result<std::unique_ptr<PartitionLog>> open_leader(const Home& home, TopicMetadata& topic, PartitionId partition, Deadline deadline) {
  if (!topic.partitions[static_cast<size_t>(partition.value)].is_replicated()) {
    return home.open_partition(topic, partition, Access::read_write, deadline);
  }
  Clock& clock = home.env().clock;
  for (;;) {
    // Before the look: what changes after it ends the sleep.
    const auto state = home.cluster_state();
    const auto word = state ? std::optional(state->metadata_word()) : std::nullopt;
    auto log = try_leader(home, topic, partition);
    if (!log || *log) return log;
    const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
    if (stop_is_overdue()) return fail(Errc::interrupted, fmt::format("interrupted while nobody led '{}-{}'", topic.name, partition.value));
    if (clock.now() >= deadline) {
      const bool alive = home.is_broker_alive(metadata.leader).value_or(false);
      return fail(Errc::not_leader, fmt::format("'{}-{}' has no leader: broker {} {}, and no other replica in sync can lead (see 'pg-cluster status')",
                                                topic.name, partition.value, metadata.leader.value, alive ? "does not lead it" : "does not run"));
    }
    clock.wait(word ? std::span(&*word, 1) : std::span<const WakeWord>{}, kLookInterval);
  }
}

Result<> make_durable(PartitionLog& log, const Appended& upto, Deadline deadline) {
  if (!log.spec().replicated) return log.flush(deadline).map([](Offset) {});
  log.ask_flush(upto.end_offset);  // the followers', while we do our own
  PG_CHECK(log.flush(deadline));
  return log.wait_committed(upto, true, deadline);
}

}  // namespace pg
