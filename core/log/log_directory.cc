#include "core/log/log_directory.h"

#include <fmt/format.h>

#include "core/format/path_names.h"

namespace pg {

std::string LogDirectory::partition_path(const TopicPartition& partition) const {
  return names::partition_directory(path_, partition);
}

Result<OffsetCheckpoint> LogDirectory::read_recovery_points() const {
  const std::string path = names::recovery_checkpoint(path_);
  const auto text = env_.files.read_all(path);
  if (!text && text.error().code == Errc::not_found) return OffsetCheckpoint{};
  PG_CHECK(text);
  auto points = parse_offset_checkpoint(*text);
  if (points) return points;
  env_.notice(fmt::format("ignoring {}: {}", path, points.error().message()));
  return OffsetCheckpoint{};
}

Result<Offset> LogDirectory::recovery_point(const TopicPartition& partition) const {
  PG_ASSIGN(const auto points, read_recovery_points());
  const auto found = points.find(partition);
  return found == points.end() ? Offset(0) : found->second;
}

template <class Change>
Result<> LogDirectory::change_recovery_points(Deadline deadline, Change change) {
  PG_ASSIGN(const auto lock_file, env_.files.open_lock(names::log_directory_lock(path_), Access::read_write));
  PG_ASSIGN(const HeldLock lock, HeldLock::acquire(*lock_file, 0, LockMode::exclusive, deadline));
  PG_ASSIGN(OffsetCheckpoint points, read_recovery_points());
  const OffsetCheckpoint before = points;
  change(points);
  if (points == before) return {};
  return env_.files.replace(names::recovery_checkpoint(path_), write_offset_checkpoint(points));
}

Result<> LogDirectory::raise_recovery_points(const OffsetCheckpoint& raised, Deadline deadline,
                                           const IsDeleted& is_deleted) {
  return change_recovery_points(deadline, [&](OffsetCheckpoint& points) {
    for (const auto& [partition, offset] : raised) {
      if (is_deleted && is_deleted(partition)) continue;
      auto& point = points[partition];
      point = std::max(point, offset);
    }
  });
}

Result<> LogDirectory::forget_recovery_points(const std::string& topic, Deadline deadline) {
  return change_recovery_points(deadline, [&](OffsetCheckpoint& points) {
    std::erase_if(points, [&](const auto& entry) { return entry.first.topic == topic; });
  });
}

}  // namespace pg
