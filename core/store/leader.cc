#include "core/store/leader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/log/replica_words.h"

namespace pg {
namespace {

constexpr Duration kLookInterval = std::chrono::milliseconds(10);
constexpr Duration kOpenPatience = std::chrono::seconds(1);
constexpr Duration kElectionPatience = std::chrono::seconds(5);
// A broker looks at its disk twice a second, and is believed when it fails again and again.
constexpr Duration kDiskPatience = std::chrono::seconds(3);
constexpr Duration kRoomPatience = std::chrono::seconds(1);
constexpr Duration kOneAfterAnother = std::chrono::seconds(1);

// Empty: `topic` is what it is now. Its version costs less to look up than all its partitions, which are opened one
// after another.
Result<std::optional<TopicMetadata>> newer_than(const Home& home, const TopicMetadata& topic) {
  PG_ASSIGN(const int64_t version, home.topic_version(topic.name));
  if (version == topic.version) return std::nullopt;
  PG_ASSIGN(TopicMetadata now, home.describe_topic(topic.name));
  if (now.id != topic.id) return fail(Errc::not_found, fmt::format("topic '{}' was deleted", topic.name));
  return now;
}

// Null: nobody leads now.
Result<std::unique_ptr<PartitionLog>> try_leader(const Home& home, TopicMetadata& topic, PartitionId partition) {
  PG_ASSIGN(auto newer, newer_than(home, topic));
  if (newer) topic = std::move(*newer);
  const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
  PG_ASSIGN(const bool alive, home.is_broker_alive(metadata.leader));
  if (!alive) return nullptr;
  auto log = home.open_partition(topic, partition, Access::read_write, home.env().clock.after(kOpenPatience));
  // What is wrong with its log, its broker sees too: another one will lead.
  if (!log)
    return log.error().code == Errc::not_found ? std::move(log) : Result<std::unique_ptr<PartitionLog>>(nullptr);
  return (*log)->current_state()->leads_in(metadata.leader_epoch) ? std::move(log)
                                                                  : Result<std::unique_ptr<PartitionLog>>(nullptr);
}

}  // namespace

Result<std::unique_ptr<PartitionLog>> open_leader(const Home& home, TopicMetadata& topic, PartitionId partition,
                                                  Deadline deadline) {
  if (!topic.partitions[static_cast<size_t>(partition.value)].is_replicated()) {
    return home.open_partition(topic, partition, Access::read_write, deadline);
  }
  Clock& clock = home.env().clock;
  StopPatience stop;
  for (;;) {
    // Before the look: what changes after it ends the sleep.
    const auto state = home.cluster_state();
    const auto word = state ? std::optional(state->metadata_word()) : std::nullopt;
    auto log = try_leader(home, topic, partition);
    if (!log || *log) return log;
    const PartitionMetadata& metadata = topic.partitions[static_cast<size_t>(partition.value)];
    if (stop.is_over(clock))
      return fail(Errc::interrupted,
                  fmt::format("interrupted while waiting for a leader of '{}-{}'", topic.name, partition.value));
    if (clock.now() >= deadline) {
      const bool alive = home.is_broker_alive(metadata.leader).value_or(false);
      return fail(
          Errc::not_leader,
          fmt::format(
              "'{}-{}' has no leader: broker {} {}, and no other replica in sync can lead (see 'pg-cluster status')",
              topic.name, partition.value, metadata.leader.value, alive ? "does not lead it" : "does not run"));
    }
    clock.wait(word ? std::span(&*word, 1) : std::span<const WakeWord>{}, kLookInterval);
  }
}

bool LeaderPatience::allows(Clock& clock, const Error& error, Deadline until) {
  const Deadline now = clock.now();
  const bool full = error.code == Errc::no_space;
  if ((!may_be_led_elsewhere(error) && !full) || now >= until) return false;
  if (!has_moved(error) && stop_.is_over(clock)) return false;
  if (error.code == Errc::io || full) {
    if (!disk_failed_ || now - *disk_failed_ > kOneAfterAnother) disk_fails_since_ = now;
    disk_failed_ = now;
    if (now - *disk_fails_since_ >= (full ? kRoomPatience : kDiskPatience)) return false;
  }
  if (!has_moved(error)) clock.wait({}, kLookInterval);
  return true;
}

Error out_of_patience(Error error) {
  if (error.code != Errc::fenced) return error;
  error.code = Errc::timed_out;
  error.what = "no leader stayed long enough: " + error.what;
  return error;
}

void note_fault(const PartitionLog& log, const Error& error) {
  const auto state = log.current_state();
  if (!log.spec().replicated || !state || state->access() != Access::read_write) return;
  if (error.code == Errc::corrupt) state->page().damaged.store(1);
  if (error.code == Errc::no_space) state->page().full.store(1);
}

namespace {

// How far what the log says can be relied on.
enum class Known { all, all_soon, as_of_before, nothing };

Known what_is_known(const PartitionState& state, LeaderEpoch epoch) {
  if (!state.leads_in(epoch)) return Known::nothing;
  if (in_sync_ends(state.page())) return Known::all;
  return has_too_few(state.page()) ? Known::as_of_before : Known::all_soon;
}

// How long to wait for more. Who is in sync and has not said yet how far will do so, or be out of sync soon; with too
// few in sync, it may never be known.
Deadline patience_with(Known known, Deadline began, Deadline deadline) {
  if (known == Known::all_soon) return deadline;
  return std::min(deadline, began + (known == Known::nothing ? kElectionPatience : kOpenPatience));
}

// Whether any broker that could lead it runs.
bool may_get_leader(const Home& home, const PartitionMetadata& metadata) {
  return std::any_of(metadata.in_sync.begin(), metadata.in_sync.end(),
                     [&](BrokerId broker) { return home.is_broker_alive(broker).value_or(false); });
}

}  // namespace

Result<std::unique_ptr<PartitionLog>> open_committed(const Home& home, const TopicMetadata& topic,
                                                     PartitionId partition, Deadline deadline) {
  if (!topic.has(partition) || !topic.partitions[static_cast<size_t>(partition.value)].is_replicated()) {
    return home.open_partition(topic, partition, Access::read_write, deadline);
  }
  Clock& clock = home.env().clock;
  std::optional<Deadline> began;
  std::optional<TopicMetadata> read;
  for (;;) {
    PG_ASSIGN(auto newer, newer_than(home, read ? *read : topic));
    if (newer) read = std::move(newer);
    const TopicMetadata& now = read ? *read : topic;
    auto log = home.open_partition(now, partition, Access::read_write, deadline);
    if (!began)
      began =
          clock
              .now();  // not before: a state that somebody makes anew may take long, and then says nothing for a moment
    const PartitionMetadata& metadata = now.partitions[static_cast<size_t>(partition.value)];
    const Known known = log ? what_is_known(*(*log)->current_state(), metadata.leader_epoch) : Known::nothing;
    if (known == Known::all) return log;
    if (clock.now() >= patience_with(known, *began, deadline) || !may_get_leader(home, metadata)) {
      // The copy that is to lead is lost. Nothing is said of the others by that.
      if (!log && log.error().code == Errc::corrupt) log.error().code = Errc::not_leader;
      return log;
    }
    if (stop_signal() != 0 && !log)
      return fail(Errc::interrupted,
                  fmt::format("interrupted while waiting for a leader of '{}-{}'", topic.name, partition.value));
    if (stop_signal() != 0) return log;
    if (log) log->reset();  // its state may have to be made anew
    clock.wait({}, kLookInterval);
  }
}

Result<> make_durable(PartitionLog& log, const Appended& upto, Deadline deadline) {
  if (!log.spec().replicated) return log.flush(deadline).map([](Offset) {});
  log.ask_flush(upto.end_offset);  // the followers', while we do our own
  PG_CHECK(log.flush(deadline));
  return log.wait_committed(upto, true, deadline);
}

}  // namespace pg
