// One broker's log directory: the checkpoints that concern all of its partitions, in Kafka's files.
//
// A file is replaced whole, under the directory's lock, so that two processes never lose each other's entries. A
// malformed checkpoint counts as empty: recovery then starts from the beginning.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "core/format/checkpoint_text.h"
#include "core/os/env.h"

namespace pg {

class LogDirectory {
 public:
  LogDirectory(Env env, std::string path) : env_(std::move(env)), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string partition_path(const TopicPartition& partition) const;

  // Everything below it was on stable storage when it was written; 0 where nothing is known.
  Result<Offset> recovery_point(const TopicPartition& partition) const;
  // Raises recovery points; never lowers one. `is_deleted` is asked under the directory's lock: the points of a partition
  // that was deleted are forgotten under it later, so that none is left to a topic of the same name.
  using IsDeleted = std::function<bool(const TopicPartition&)>;
  Result<> raise_recovery_points(const OffsetCheckpoint& points, Deadline deadline,
                                 const IsDeleted& is_deleted = {});
  // Forgets them, durably; for topics that are made or deleted.
  Result<> forget_recovery_points(const std::string& topic, Deadline deadline);

 private:
  Result<OffsetCheckpoint> read_recovery_points() const;
  template <class Change>
  Result<> change_recovery_points(Deadline deadline, Change change);

  Env env_;
  std::string path_;
};

}  // namespace pg
