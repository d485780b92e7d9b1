// One broker's log directory: the checkpoints that concern all of its partitions, in Kafka's files.
//
// A file is replaced whole, under the directory's lock, so that two processes never lose each other's entries. It is
// read line by line. Before a process writes a damaged file again, it keeps a copy beside it and says so. A partition
// without a line in a damaged file may have had one, so its value is unknown. The process that writes the file takes
// the value from the partition's state page. Without a page the value stays unknown until the partition is recovered.
//
// Before a log is cut or begins again, its values in all checkpoints are lowered or removed, durably: no checkpoint
// describes bytes that it was not written for.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/format/checkpoint_text.h"
#include "core/os/env.h"

namespace pg {

class LogDirectory {
 public:
  LogDirectory(Env env, std::string path) : env_(std::move(env)), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string partition_path(const TopicPartition& partition) const;

  // Everything below it was on stable storage when it was written; empty: the line is lost, and the value unknown.
  Result<std::optional<Offset>> recovery_point(const TopicPartition& partition) const;
  // Raises recovery points; never lowers one. `is_deleted` is asked under the directory's lock: what is kept of a
  // partition that was deleted is forgotten under it later, so that nothing is left to a topic of the same name. It
  // must also be true of a log that was cut below the point: the cut lowers it under the lock later, or has done so.
  // The same holds for the other checkpoints.
  using IsDeleted = std::function<bool(const TopicPartition&)>;
  Result<> raise_recovery_points(const OffsetCheckpoint& points, Deadline deadline, const IsDeleted& is_deleted = {});

  // For before records from `end` on are cut off: lowers every checkpoint of the log to `end`; durable on return.
  Result<> cut_at(const TopicPartition& partition, Offset end, Deadline deadline);
  // For a log that is emptied and begins again at `start`: sets the log start, and lowers or removes everything else.
  Result<> restart_at(const TopicPartition& partition, Offset start, Deadline deadline);

  // Of partitions with more than one replica: below it every record is committed; 0 where nothing is known.
  Result<Offset> high_watermark(const TopicPartition& partition) const;
  // Partitions that `offsets` does not name keep theirs.
  Result<> store_high_watermarks(const OffsetCheckpoint& offsets, Deadline deadline, const IsDeleted& is_deleted = {});

  // That the broker stopped after all was on stable storage, and nobody has written since.
  Result<bool> was_stopped_cleanly() const;
  Result<> note_clean_stop();
  Result<> forget_clean_stop();

  // The first offset that nobody has deleted; empty: the line is lost, and the value unknown.
  Result<std::optional<Offset>> log_start(const TopicPartition& partition) const;
  // Stores what recovery has found, if a line was lost or the log contradicts it.
  Result<> store_found(const TopicPartition& partition, Offset log_start, Offset recovery_point, Deadline deadline);
  // The same for it; durable on return.
  Result<> raise_log_start(const TopicPartition& partition, Offset offset, Deadline deadline,
                           const IsDeleted& is_deleted = {});

  // Below it compaction has done its work; 0 where nothing is known.
  Result<Offset> cleaned_to(const TopicPartition& partition) const;
  Result<> raise_cleaned(const TopicPartition& partition, Offset offset, Deadline deadline,
                         const IsDeleted& is_deleted = {});

  // Below it offsets may be missing from the log, see gaps.h; 0: nothing is stored; empty: the line is lost, and the
  // value unknown.
  Result<std::optional<Offset>> gaps_below(const TopicPartition& partition) const;
  // The same for it; durable on return.
  Result<> raise_gaps_below(const TopicPartition& partition, Offset offset, Deadline deadline);

  // For calls that only free space: on a full disk each file of the reserve gives them one block and one inode. Calls
  // `f` again as long as it ends with no_space and a file is left to release.
  template <class F>
  auto with_reserve(F f) const {
    for (;;) {
      auto done = f();
      if (done || done.error().code != Errc::no_space || !release_reserve()) return done;
    }
  }
  // False: no file is left.
  bool release_reserve() const;
  // Makes the missing files of the reserve, as far as there is room.
  void keep_reserve() const;

  // Removes what nobody needs any more: partitions that were deleted but for their files, and those that died with
  // their makers before they had a name. What cannot be removed stays for the next one.
  void remove_leftovers() const;

  // Forgets everything about a topic, durably; for topics that are made or deleted.
  Result<> forget_topic(const std::string& topic, Deadline deadline);

 private:
  bool is_being_made(const std::string& directory) const;
  std::vector<std::string> every_checkpoint() const;
  // The partition's entry; 0: it never had one; empty: unknown.
  Result<std::optional<Offset>> entry(const std::string& path, const TopicPartition& partition) const;
  Result<OffsetLines> read(const std::string& path) const;
  Result<OffsetLines> mend(const std::string& path, const std::string& text, OffsetLines lines) const;
  template <class Change>
  Result<> change(const std::string& path, Deadline deadline, Change change);
  Result<> raise(const std::string& path, const OffsetCheckpoint& raised, Deadline deadline,
                 const IsDeleted& is_deleted);

  Env env_;
  std::string path_;
};

}  // namespace pg
