#include "core/log/log_directory.h"

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/format/path_names.h"
#include "core/log/partition_state.h"
#include "core/log/side_file.h"

namespace pg {

std::string LogDirectory::partition_path(const TopicPartition& partition) const {
  return names::partition_directory(path_, partition);
}

// The log start comes last: it says that a log begins there, when the other checkpoints say nothing of it any more.
std::vector<std::string> LogDirectory::every_checkpoint() const {
  std::vector<std::string> paths{names::recovery_checkpoint(path_), names::cleaner_checkpoint(path_),
                                 names::replication_checkpoint(path_)};
  // Hardly any log directory has one.
  if (env_.files.info(names::gap_checkpoint(path_))) paths.push_back(names::gap_checkpoint(path_));
  paths.push_back(names::log_start_checkpoint(path_));
  return paths;
}

Result<OffsetLines> LogDirectory::read(const std::string& path) const {
  const auto text = env_.files.read_all(path);
  if (!text && text.error().code == Errc::not_found) return OffsetLines{};
  PG_CHECK(text);
  return read_offset_lines(*text);
}

Result<std::optional<Offset>> LogDirectory::entry(const std::string& path, const TopicPartition& partition) const {
  PG_ASSIGN(const auto lines, read(path));
  const auto found = lines.offsets.find(partition);
  if (found != lines.offsets.end()) return found->second;
  if (lines.is_whole()) return Offset(0);
  env_.notice(fmt::format("{} is damaged ({}), and has no line of '{}-{}'", path, lines.fault, partition.topic,
                          partition.partition.value));
  return std::nullopt;
}

Result<std::optional<Offset>> LogDirectory::recovery_point(const TopicPartition& partition) const {
  return entry(names::recovery_checkpoint(path_), partition);
}

Result<std::optional<Offset>> LogDirectory::log_start(const TopicPartition& partition) const {
  return entry(names::log_start_checkpoint(path_), partition);
}

// 0 is always true: nothing is clean.
Result<Offset> LogDirectory::cleaned_to(const TopicPartition& partition) const {
  return entry(names::cleaner_checkpoint(path_), partition).map([](const auto& offset) {
    return offset.value_or(Offset(0));
  });
}

// Keeps the damaged file, and gives the partitions that may have lost a line one from their state pages. The result is
// whole, unless one of them has no page.
Result<OffsetLines> LogDirectory::mend(const std::string& path, const std::string& text, OffsetLines lines) const {
  const bool log_starts = path == names::log_start_checkpoint(path_),
             flushed = path == names::recovery_checkpoint(path_);
  const bool known_by_page =
      log_starts || flushed || path == names::gap_checkpoint(path_);  // for the others, 0 is always true
  PG_ASSIGN(const auto entries, env_.files.list(path_));
  const bool kept_before = write_offset_lines(lines) == text;
  bool all_known = true;
  for (const auto& name : entries) {
    const auto partition = names::parse_partition_directory(name);
    if (!known_by_page || !partition || lines.offsets.contains(*partition)) continue;
    const auto info = env_.files.info(partition_path(*partition));
    if (!info || !info->is_directory) continue;
    PG_ASSIGN(const auto memory, PartitionState::remember(env_, partition_path(*partition)));
    if (memory)
      lines.offsets[*partition] = log_starts ? memory->log_start : flushed ? memory->flushed : memory->gaps_below;
    all_known &= memory.has_value();
  }
  if (!kept_before) {
    PG_ASSIGN(const auto file, env_.files.open(path, OpenMode::read));
    PG_ASSIGN(const std::string kept,
              set_aside(env_.files, *file, 0, text.size(), [&](int n) { return names::damaged_checkpoint(path, n); }));
    env_.notice(fmt::format("{} is damaged ({}): it is written again with the lines that can be read{}", path,
                            lines.fault, kept.empty() ? "" : ", and kept in " + kept));
  }
  return all_known ? OffsetLines{std::move(lines.offsets), {}, {}} : lines;
}

template <class Change>
Result<> LogDirectory::change(const std::string& path, Deadline deadline, Change change) {
  PG_ASSIGN(const auto lock_file, env_.files.open_lock(names::log_directory_lock(path_), Access::read_write));
  PG_ASSIGN(const HeldLock lock, HeldLock::acquire(*lock_file, 0, LockMode::exclusive, deadline));
  PG_ASSIGN(OffsetLines lines, read(path));
  std::string stored = lines.is_whole() ? write_offset_lines(lines) : std::string();
  if (!lines.is_whole()) {
    PG_ASSIGN(stored, env_.files.read_all(path));
    PG_ASSIGN(lines, mend(path, stored, std::move(lines)));
  }
  change(lines.offsets);
  std::string text = write_offset_lines(lines);
  // Its writer may have died before the file was on the disk.
  if (text == stored) return env_.files.sync_directory(path_);
  return env_.files.replace(path, text);
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

Result<> LogDirectory::cut_at(const TopicPartition& partition, Offset end, Deadline deadline) {
  for (const auto& path : every_checkpoint()) {
    PG_CHECK(change(path, deadline, [&](OffsetCheckpoint& offsets) {
      const auto found = offsets.find(partition);
      if (found != offsets.end()) found->second = std::min(found->second, end);
    }));
  }
  return {};
}

Result<> LogDirectory::restart_at(const TopicPartition& partition, Offset start, Deadline deadline) {
  const std::string starts = names::log_start_checkpoint(path_), cleaned = names::cleaner_checkpoint(path_);
  for (const auto& path : every_checkpoint()) {
    PG_CHECK(change(path, deadline, [&](OffsetCheckpoint& offsets) {
      const auto found = offsets.find(partition);
      if (path == starts)
        offsets[partition] = start;
      else if (path == cleaned)
        offsets.erase(partition);
      else if (found != offsets.end())
        found->second = std::min(found->second, start);
    }));
  }
  return {};
}

Result<> LogDirectory::store_found(const TopicPartition& partition, Offset log_start, Offset recovery_point,
                                   Deadline deadline) {
  PG_CHECK(change(names::log_start_checkpoint(path_), deadline,
                  [&](OffsetCheckpoint& offsets) { offsets[partition] = log_start; }));
  return change(names::recovery_checkpoint(path_), deadline,
                [&](OffsetCheckpoint& offsets) { offsets[partition] = recovery_point; });
}

Result<Offset> LogDirectory::high_watermark(const TopicPartition& partition) const {
  return entry(names::replication_checkpoint(path_), partition).map([](const auto& offset) {
    return offset.value_or(Offset(0));
  });
}

Result<> LogDirectory::store_high_watermarks(const OffsetCheckpoint& stored, Deadline deadline,
                                             const IsDeleted& is_deleted) {
  return change(names::replication_checkpoint(path_), deadline, [&](OffsetCheckpoint& offsets) {
    for (const auto& [partition, offset] : stored) {
      if (!is_deleted || !is_deleted(partition)) offsets[partition] = offset;
    }
  });
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
  return entry(names::gap_checkpoint(path_), partition);
}

Result<> LogDirectory::raise_gaps_below(const TopicPartition& partition, Offset offset, Deadline deadline) {
  return raise(names::gap_checkpoint(path_), {{partition, offset}}, deadline, {});
}

bool LogDirectory::release_reserve() const {
  for (int n = kReserveFiles; n > 0; --n) {
    if (env_.files.unlink(names::reserve(path_, n))) return true;
  }
  return false;
}

void LogDirectory::keep_reserve() const {
  const std::string block(kReserveFileBytes, '\0');
  // release_reserve() begins with the last one.
  if (env_.files.info(names::reserve(path_, kReserveFiles))) return;
  for (int n = 1; n <= kReserveFiles; ++n) {
    const auto file = env_.files.open(names::reserve(path_, n), OpenMode::create_new);
    if (!file && file.error().code == Errc::already_exists) continue;
    if (file && (*file)->write_at(0, as_bytes(block))) continue;
    if (file) (void)env_.files.unlink(names::reserve(path_, n));
    return;
  }
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
  for (const auto& path : every_checkpoint()) {
    const auto forgotten = change(path, deadline, [&](OffsetCheckpoint& offsets) {
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == topic; });
    });
    PG_CHECK(forgotten);
  }
  return {};
}

}  // namespace pg
