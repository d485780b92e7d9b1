#include "core/log/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"

namespace pg {
namespace {

using names::SegmentFile;

std::string log_path(const PartitionLog& log, Offset base) {
  return names::segment(log.directory(), base, SegmentFile::log);
}

// Up to which of the closed segments the log may go by its size: Kafka deletes while what stays is not less than the
// limit.
Offset start_by_size(const std::vector<Segment>& segments, Offset log_start, Offset committed,
                     int64_t retention_bytes) {
  int64_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.bytes;
  Offset start = log_start;
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    bytes -= segments[i].bytes;
    if (bytes < retention_bytes || segments[i].end > committed) break;
    start = std::max(start, segments[i].end);
  }
  return start;
}

// The latest time of a closed segment, as far as its index tells.
std::optional<int64_t> indexed_time(PartitionLog& log, Offset base) {
  const auto latest = lookup_time(log.env().files, log.directory(), base, std::numeric_limits<int64_t>::max());
  return latest ? std::optional(latest->timestamp_ms) : std::nullopt;
}

// A log is deleted from its start, so one record with a time in the future keeps all segments behind it. That is
// Kafka's rule, and a person has to decide. Each process says so once, and what to do.
void say_what_keeps(PartitionLog& log, std::span<const Segment> segments, int64_t cutoff_ms) {
  const auto time_ms = indexed_time(log, segments.front().base);
  if (!time_ms || *time_ms <= log.env().clock.wall_ms()) return;
  int64_t kept = 0, bytes = 0;
  for (const Segment& segment : segments.subspan(1, segments.size() - 2)) {
    const auto other_ms = indexed_time(log, segment.base);
    if (!other_ms || *other_ms >= cutoff_ms) continue;
    ++kept;
    bytes += segment.bytes;
  }
  if (kept == 0 || !log.says_first(segments.front().base)) return;
  log.env().notice(
      fmt::format("the segment of '{}' from offset {} on has a record of {}, in the future: it keeps {} segments with "
                  "{} bytes behind it that are "
                  "older than retention.ms (to delete it: 'pg-topic trim {} -p {} -o {} --yes')",
                  log.name(), segments.front().base.value, rfc3339_utc(*time_ms), kept, bytes,
                  log.spec().partition.topic, log.spec().partition.partition.value, segments.front().end.value));
}

Result<Offset> start_by_age(PartitionLog& log, const std::vector<Segment>& segments, Offset log_start, Offset committed,
                            int64_t cutoff_ms) {
  Offset start = log_start;
  for (size_t i = 0; i + 1 < segments.size() && segments[i].end <= committed; ++i) {
    if (segments[i].end > start) {
      PG_ASSIGN(const bool old, is_older(log, segments[i].base, cutoff_ms));
      if (!old) {
        say_what_keeps(log, std::span(segments).subspan(i), cutoff_ms);
        break;
      }
    }
    start = std::max(start, segments[i].end);
  }
  return start;
}

}  // namespace

Result<std::vector<Segment>> measure_segments(PartitionLog& log, PartitionState& state) {
  SegmentList list(log.env(), state, log.directory());
  const auto measure = [&]() -> Result<std::vector<Segment>> {
    const LogPosition position = state.position();
    PG_ASSIGN(const auto bases, list_segments(log.env().files, log.directory()));
    std::vector<Segment> segments;
    for (size_t i = 0; i < bases.size() && bases[i] <= position.active_segment; ++i) {
      if (bases[i] == position.active_segment) {
        segments.push_back({bases[i], position.log_end, position.segment_bytes});
      } else {
        PG_ASSIGN(const FileInfo info, log.env().files.info(log_path(log, bases[i])));
        segments.push_back({bases[i], i + 1 < bases.size() ? bases[i + 1] : position.active_segment,
                            static_cast<int64_t>(info.size_bytes)});
      }
    }
    return segments;
  };
  for (;;) {
    PG_ASSIGN(const uint64_t counter, list.settled());
    auto segments = measure();
    if (list.is_still(counter)) return segments;
  }
}

Result<bool> is_older(PartitionLog& log, Offset base, int64_t cutoff_ms) {
  FileSystem& files = log.env().files;
  const auto latest = lookup_time(files, log.directory(), base, std::numeric_limits<int64_t>::max());
  if (latest && latest->timestamp_ms >= cutoff_ms) return false;
  PG_ASSIGN(const auto file, files.open(log_path(log, base), OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  int64_t greatest = -1;
  BatchScanner scanner(*file);
  for (;;) {
    const auto batch = scanner.next_header(info.size_bytes);
    if (!batch && batch.error().code == Errc::corrupt) return false;
    PG_CHECK(batch);
    if (!*batch) break;
    greatest = std::max(greatest, (*batch)->header.max_timestamp_ms);
    if (greatest >= cutoff_ms) return false;
    scanner.skip(**batch);
  }
  // Without any timestamp the file's own time stands in, as in Kafka.
  return greatest >= 0 || info.changed_ms < cutoff_ms;
}

std::optional<int64_t> believed_wall_ms(const Env& env, StatePage& page, bool trust) {
  // Version 0.1.0 measured by a clock that stands still while the machine is suspended. In a page that it made in this
  // boot, the word is too high by the time of suspension, and a clock that is ahead by so much more is believed until
  // the machine starts again.
  const int64_t wall_ms = env.clock.wall_ms();
  const int64_t ahead_ms = wall_ms - env.clock.boot_ms();
  int64_t seen = page.wall_ahead_ms.load(std::memory_order_relaxed);
  if (!trust && ahead_ms - seen > kClockJumpMaxMs) return {};
  while (seen < ahead_ms && !page.wall_ahead_ms.compare_exchange_weak(seen, ahead_ms, std::memory_order_relaxed)) {
  }
  return wall_ms;
}

std::string clock_notice(const std::string& partition) {
  return fmt::format(
      "nothing of '{}' is deleted for its age: the clock is more than a day ahead of what it was to show "
      "(if it is right, say so with 'pg-topic compact --yes')",
      partition);
}

Result<PartitionLog::Removed> apply_retention(PartitionLog& log, std::optional<int64_t> now_ms, ActiveSegmentToo active,
                                              Deadline deadline) {
  const LogConfig config = log.config();
  PG_ASSIGN(auto state, log.state(deadline));
  PG_ASSIGN(auto segments, measure_segments(log, *state));
  const LogPosition position = state->position();
  const Offset committed = state->high_watermark();
  state.reset();  // a write may have to rebuild it, which it can when nobody has it
  Offset start = position.log_start;
  if (config.cleanup_delete && config.retention_bytes >= 0) {
    start = start_by_size(segments, start, committed, config.retention_bytes);
  }
  if (config.cleanup_delete && config.retention_ms >= 0 && now_ms) {
    const int64_t cutoff_ms = *now_ms - config.retention_ms;
    bool active_is_old = position.max_timestamp_ms >= 0 && position.max_timestamp_ms < cutoff_ms;
    if (active == ActiveSegmentToo::yes && position.max_timestamp_ms < 0) {
      PG_ASSIGN(active_is_old, is_older(log, position.active_segment, cutoff_ms));
    }
    active_is_old = active_is_old && position.segment_bytes > 0;
    if (active == ActiveSegmentToo::yes && active_is_old) {
      PG_CHECK(log.roll_active(deadline));
      PG_ASSIGN(state, log.state(deadline));
      PG_ASSIGN(segments, measure_segments(log, *state));
      state.reset();
    }
    PG_ASSIGN(start, start_by_age(log, segments, start, committed, cutoff_ms));
  }
  PG_CHECK(log.raise_log_start(start, deadline));
  return log.delete_old_segments(std::chrono::milliseconds(config.file_delete_delay_ms), deadline);
}

}  // namespace pg
