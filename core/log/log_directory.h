// One broker's log directory: the checkpoints that concern all of its partitions, in Kafka's files.
//
// A file is replaced whole, under the directory's lock, so that two processes never lose each other's entries. A
// malformed recovery point checkpoint counts as empty: recovery then starts from the beginning.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
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
  // Raises recovery points; never lowers one. `is_deleted` is asked under the directory's lock: what is kept of a
  // partition that was deleted is forgotten under it later, so that nothing is left to a topic of the same name. It is also to
  // be true of a log that was cut below the point: that lowers it under the lock later, or has done so.
  using IsDeleted = std::function<bool(const TopicPartition&)>;
  Result<> raise_recovery_points(const OffsetCheckpoint& points, Deadline deadline,
                                 const IsDeleted& is_deleted = {});

  // Before records above `offset` are cut off; durable on return.
  Result<> lower_recovery_point(const TopicPartition& partition, Offset offset, Deadline deadline);
  // For a log that is emptied and begins anew at `start`: sets the log start, and lowers the recovery point to it.
  Result<> restart_at(const TopicPartition& partition, Offset start, Deadline deadline);

  // Of partitions with more than one replica: below it every record is committed; 0 where nothing is known.
  Result<Offset> high_watermark(const TopicPartition& partition) const;
  Result<> store_high_watermarks(const OffsetCheckpoint& offsets, Deadline deadline);

  // That the broker stopped after all was on stable storage, and nobody has written since.
  Result<bool> was_stopped_cleanly() const;
  Result<> note_clean_stop();
  Result<> forget_clean_stop();

  // The first offset that nobody has deleted; empty where the checkpoint cannot be read and so nobody knows.
  Result<std::optional<Offset>> log_start(const TopicPartition& partition) const;
  // The same for it; durable on return.
  Result<> raise_log_start(const TopicPartition& partition, Offset offset, Deadline deadline,
                           const IsDeleted& is_deleted = {});

  // Below it compaction has done its work; 0 where nothing is known.
  Result<Offset> cleaned_to(const TopicPartition& partition) const;
  Result<> raise_cleaned(const TopicPartition& partition, Offset offset, Deadline deadline,
                         const IsDeleted& is_deleted = {});

  // Below it offsets may be missing from the log, see gaps.h; 0 where nothing is stored; empty where the checkpoint cannot be
  // read and so nobody knows.
  Result<std::optional<Offset>> gaps_below(const TopicPartition& partition) const;
  // The same for it; durable on return.
  Result<> raise_gaps_below(const TopicPartition& partition, Offset offset, Deadline deadline);

  // Removes what nobody needs any more: partitions that were deleted but for their files, and those that died with their
  // makers before they had a name. What cannot be removed stays for the next one.
  void remove_leftovers() const;

  // Forgets everything about a topic, durably; for topics that are made or deleted.
  Result<> forget_topic(const std::string& topic, Deadline deadline);

 private:
  bool is_being_made(const std::string& directory) const;
  // The partition's entry, or 0.
  Result<Offset> entry(const std::string& path, const TopicPartition& partition) const;
  // Empty where it cannot be understood.
  Result<std::optional<OffsetCheckpoint>> read(const std::string& path) const;
  template <class Change>
  Result<> change(const std::string& path, Deadline deadline, Change change);
  Result<> raise(const std::string& path, const OffsetCheckpoint& raised, Deadline deadline,
                 const IsDeleted& is_deleted);

  Env env_;
  std::string path_;
};

}  // namespace pg
