// The files of one partition directory: which segments there are, and lookups in a segment's indexes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log/state_page.h"
#include "core/os/env.h"

namespace pg {

// Base offsets of the segments in `directory`, ascending.
Result<std::vector<Offset>> list_segments(FileSystem& files, const std::string& directory);

// The segment that holds `offset` (or will): the last one that does not start after it.
std::optional<Offset> segment_of(const std::vector<Offset>& bases, Offset offset);

// Where the segment's index says that a batch ending at or below `target` stands. Only a hint: the reader checks that
// this very batch is there, and falls back to the segment's start.
struct IndexHint {
  uint64_t position = 0;
  Offset last_offset;
};
std::optional<IndexHint> lookup_offset(FileSystem& files, const std::string& directory, Offset base, Offset target);

// The last entry of the segment's time index that is earlier than `timestamp_ms`: up to the batch that ends with that
// offset, every record is too. Only a hint: the reader checks that this batch has this time.
struct TimeHint {
  int64_t timestamp_ms = 0;
  Offset last_offset;
};
std::optional<TimeHint> lookup_time(FileSystem& files, const std::string& directory, Offset base, int64_t timestamp_ms);

// A segment opened for appending.
struct ActiveSegment {
  Offset base;
  std::unique_ptr<File> log;
  std::unique_ptr<File> offset_index;
  std::unique_ptr<File> time_index;

  // For a segment that is closed: below the recovery point nobody reads it again to see whether they are right.
  Result<> sync_indexes();
};

// An index can be made from its .log. So something that stands in its place and cannot be opened, such as a directory
// or a symbolic link, is renamed to <name>.aside-<n>.
Result<ActiveSegment> open_active_segment(const Env& env, const std::string& directory, Offset base);

// Creates the files of a new, empty segment and makes its .log and their names durable.
Result<> create_segment(FileSystem& files, const std::string& directory, Offset base);
// Whether there is such a segment, and its .log is not empty.
Result<bool> holds_records(FileSystem& files, const std::string& directory, Offset base);
// Removes whatever of a segment's files exists.
Result<> remove_segment(FileSystem& files, const std::string& directory, Offset base);

// Adds the index entries that are due before `position` takes in `batch`, and counts it in: the one place that knows
// Kafka's rule (an entry once more than `interval_bytes` were written since the last one). An index that cannot be
// written stays as it is; it is a hint.
class IndexWriter {
 public:
  IndexWriter(File& offset_index, File& time_index, int32_t interval_bytes)
      : offset_index_(offset_index), time_index_(time_index), interval_bytes_(interval_bytes) {}

  void add_batch(LogPosition& position, Offset last_offset, int64_t max_timestamp_ms, int64_t size_bytes);
  // The closing time entry, when the segment is rolled.
  void close(LogPosition& position);

 private:
  void add_time_entry(LogPosition& position);

  File& offset_index_;
  File& time_index_;
  int32_t interval_bytes_;
};

}  // namespace pg
