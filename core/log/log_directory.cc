#include "core/log/log_directory.h"

#include <fmt/format.h>

#include "core/format/path_names.h"
#include "core/log/partition_state.h"

namespace pg {

std::string LogDirectory::partition_path(const TopicPartition& partition) const {
  return names::partition_directory(path_, partition);
}

Result<std::optional<OffsetCheckpoint>> LogDirectory::read(const std::string& path) const {
  const auto text = env_.files.read_all(path);
  if (!text && text.error().code == Errc::not_found) return OffsetCheckpoint{};
  PG_CHECK(text);
  auto offsets = parse_offset_checkpoint(*text);
  if (offsets) return std::move(*offsets);
  env_.notice(fmt::format("ignoring {}: {}", path, offsets.error().message()));
  return std::nullopt;
}

Result<Offset> LogDirectory::entry(const std::string& path, const TopicPartition& partition) const {
  PG_ASSIGN(const auto offsets, read(path));
  if (!offsets) return Offset(0);
  const auto found = offsets->find(partition);
  return found == offsets->end() ? Offset(0) : found->second;
}

Result<Offset> LogDirectory::recovery_point(const TopicPartition& partition) const {
  return entry(names::recovery_checkpoint(path_), partition);
}

Result<Offset> LogDirectory::cleaned_to(const TopicPartition& partition) const {
  return entry(names::cleaner_checkpoint(path_), partition);
}

Result<std::optional<Offset>> LogDirectory::log_start(const TopicPartition& partition) const {
  PG_ASSIGN(const auto starts, read(names::log_start_checkpoint(path_)));
  if (!starts) return std::nullopt;
  const auto found = starts->find(partition);
  return found == starts->end() ? Offset(0) : found->second;
}

template <class Change>
Result<> LogDirectory::change(const std::string& path, Deadline deadline, Change change) {
  PG_ASSIGN(const auto lock_file, env_.files.open_lock(names::log_directory_lock(path_), Access::read_write));
  PG_ASSIGN(const HeldLock lock, HeldLock::acquire(*lock_file, 0, LockMode::exclusive, deadline));
  PG_ASSIGN(const auto stored, read(path));
  OffsetCheckpoint offsets = stored.value_or(OffsetCheckpoint{});
  change(offsets);
  // Whoever has written it may have died before it was on the disk.
  if (offsets == stored.value_or(OffsetCheckpoint{})) return env_.files.sync_directory(path_);
  return env_.files.replace(path, write_offset_checkpoint(offsets));
}

Result<> LogDirectory::raise(const std::string& path, const OffsetCheckpoint& raised, Deadline deadline,
                             const IsDeleted& is_deleted) {
  return change(path, deadline, [&](OffsetCheckpoint& offsets) {
    for (const auto& [partition, offset] : raised) {
      if (is_deleted && is_deleted(partition)) continue;
      auto& stored = offsets[partition];
      stored = std::max(stored, offset);
    }
  });
}

Result<> LogDirectory::raise_recovery_points(const OffsetCheckpoint& raised, Deadline deadline,
                                             const IsDeleted& is_deleted) {
  return raise(names::recovery_checkpoint(path_), raised, deadline, is_deleted);
}

Result<> LogDirectory::lower_recovery_point(const TopicPartition& partition, Offset offset, Deadline deadline) {
  return change(names::recovery_checkpoint(path_), deadline, [&](OffsetCheckpoint& offsets) {
    const auto found = offsets.find(partition);
    if (found != offsets.end()) found->second = std::min(found->second, offset);
  });
}

Result<> LogDirectory::restart_at(const TopicPartition& partition, Offset start, Deadline deadline) {
  PG_CHECK(lower_recovery_point(partition, start, deadline));
  return change(names::log_start_checkpoint(path_), deadline, [&](OffsetCheckpoint& offsets) { offsets[partition] = start; });
}

Result<Offset> LogDirectory::high_watermark(const TopicPartition& partition) const {
  return entry(names::replication_checkpoint(path_), partition);
}

Result<> LogDirectory::store_high_watermarks(const OffsetCheckpoint& stored, Deadline deadline) {
  return change(names::replication_checkpoint(path_), deadline, [&](OffsetCheckpoint& offsets) { offsets = stored; });
}

Result<bool> LogDirectory::was_stopped_cleanly() const { return env_.files.exists(names::clean_stop(path_)); }

Result<> LogDirectory::note_clean_stop() { return env_.files.replace(names::clean_stop(path_), ""); }

Result<> LogDirectory::forget_clean_stop() {
  const auto removed = env_.files.unlink(names::clean_stop(path_));
  if (!removed && removed.error().code != Errc::not_found) return removed;
  return env_.files.sync_directory(path_);
}

Result<> LogDirectory::raise_log_start(const TopicPartition& partition, Offset offset, Deadline deadline,
                                       const IsDeleted& is_deleted) {
  return raise(names::log_start_checkpoint(path_), {{partition, offset}}, deadline, is_deleted);
}

Result<> LogDirectory::raise_cleaned(const TopicPartition& partition, Offset offset, Deadline deadline,
                                     const IsDeleted& is_deleted) {
  return raise(names::cleaner_checkpoint(path_), {{partition, offset}}, deadline, is_deleted);
}

Result<std::optional<Offset>> LogDirectory::gaps_below(const TopicPartition& partition) const {
  PG_ASSIGN(const auto gaps, read(names::gap_checkpoint(path_)));
  if (!gaps) return std::nullopt;
  const auto found = gaps->find(partition);
  return found == gaps->end() ? Offset(0) : found->second;
}

Result<> LogDirectory::raise_gaps_below(const TopicPartition& partition, Offset offset, Deadline deadline) {
  return raise(names::gap_checkpoint(path_), {{partition, offset}}, deadline, {});
}

void LogDirectory::remove_leftovers() const {
  const auto entries = env_.files.list(path_);
  if (!entries) return;
  for (const auto& entry : *entries) {
    const auto stage = names::parse_partition_stage(entry);
    const std::string directory = fmt::format("{}/{}", path_, entry);
    if (!stage || (*stage == names::PartitionStage::making && is_being_made(directory))) continue;
    (void)env_.files.remove_tree(directory);
  }
}

// Its maker holds a lock for as long as it lives.
bool LogDirectory::is_being_made(const std::string& directory) const {
  const std::string path = names::partition_lock(directory);
  const auto info = env_.files.info(path);
  if (!info && info.error().code == Errc::not_found) return false;
  const auto file = env_.files.open_lock(path, Access::read_only);
  if (!file) return true;
  return (*file)->is_held(lock_byte::kMaking).value_or(true);
}

Result<> LogDirectory::forget_topic(const std::string& topic, Deadline deadline) {
  for (const auto& path : {names::recovery_checkpoint(path_), names::log_start_checkpoint(path_),
                           names::cleaner_checkpoint(path_), names::replication_checkpoint(path_), names::gap_checkpoint(path_)}) {
    if (path == names::gap_checkpoint(path_) && !env_.files.info(path)) continue;  // hardly any log directory has one
    const auto forgotten = change(path, deadline, [&](OffsetCheckpoint& offsets) {
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == topic; });
    });
    PG_CHECK(forgotten);
  }
  return {};
}

}  // namespace pg
