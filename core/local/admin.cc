#include "core/local/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/format/path_names.h"
#include "core/local/offset_place.h"
#include "core/log/log_directory.h"
#include "core/log/retention.h"
#include "core/log/segment_files.h"
#include "core/log/segment_list.h"
#include "core/store/leader.h"

namespace pg {
namespace {

// The page says where the log ends even if the files of that end are gone.
Result<> check_last_segment(const PartitionLog& log, const LogPosition& position) {
  const std::string path = names::segment(log.directory(), position.active_segment, names::SegmentFile::log);
  const auto info = log.env().files.info(path);
  if (!info && info.error().code != Errc::not_found) return tl::unexpected(info.error());
  if (!info)
    return fail(Errc::corrupt, fmt::format("the last segment of '{}' is missing: see 'pg-topic verify'", log.name()),
                path);
  if (std::cmp_less(info->size_bytes, position.segment_bytes))
    return fail(Errc::corrupt,
                fmt::format("the last segment of '{}' is shorter than it was: see 'pg-topic verify'", log.name()),
                path);
  return {};
}

// How many segments there are and how large, at one moment.
Result<> count_segments(const PartitionLog& log, PartitionState& state, PartitionDescription& description) {
  FileSystem& files = log.env().files;
  SegmentList list(log.env(), state, log.directory());
  const auto count = [&]() -> Result<> {
    description.segments = description.bytes = 0;
    const LogPosition position = state.position();  // of the list at hand: what was the last segment may be deleted
    PG_CHECK(check_last_segment(log, position));
    PG_ASSIGN(const auto bases, list_segments(files, log.directory()));
    for (const Offset base : bases) {
      ++description.segments;
      if (base == position.active_segment) {
        description.bytes += position.segment_bytes;
      } else {
        PG_ASSIGN(const FileInfo info, files.info(names::segment(log.directory(), base, names::SegmentFile::log)));
        description.bytes += static_cast<int64_t>(info.size_bytes);
      }
    }
    return {};
  };
  for (;;) {
    PG_ASSIGN(const uint64_t counter, list.settled());
    const LogPosition before = state.position();
    auto counted = count();
    // A replica's log may have been cut meanwhile: then the file is shorter than its former end.
    const bool is_cut = !counted && state.position().log_end != before.log_end;
    if (list.is_still(counter) && !is_cut) return counted;
  }
}

}  // namespace

Result<PartitionDescription> describe_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                                Deadline deadline) {
  PG_ASSIGN(const auto log, open_committed(home, topic, partition, deadline));
  const auto state = log->current_state();
  const LogPosition position = state->position();
  PartitionDescription description;
  description.partition = partition;
  description.metadata = topic.partitions[static_cast<size_t>(partition.value)];
  description.leader_epoch = state->leader_epoch();
  description.log_start = position.log_start;
  description.log_end = position.log_end;
  description.high_watermark = state->high_watermark();
  PG_ASSIGN(description.last_stable, last_stable_offset(*log, description.high_watermark));
  description.flushed = std::min(Offset(state->page().flushed.load()), position.log_end);
  PG_CHECK(count_segments(*log, *state, description));
  return description;
}

namespace {

LogDirectory log_directory_of(const Home& home, const TopicMetadata& topic, PartitionId partition) {
  const BrokerId leader =
      topic.has(partition) ? topic.partitions[static_cast<size_t>(partition.value)].leader : BrokerId(0);
  return {home.env(), home.log_directory(leader)};
}

// no_space: there is no room for its state page. The caller can release some of the reserve and try again.
Result<std::unique_ptr<PartitionLog>> open_to_delete_from(const Home& home, const TopicMetadata& topic,
                                                          PartitionId partition, Deadline deadline) {
  PG_ASSIGN(auto log, home.open_partition(topic, partition, Access::read_write, deadline));
  const auto state = log->current_state();
  if (state->no_space()) return tl::unexpected(*state->no_space());
  if (state->access() == Access::read_write) return log;
  return fail(Errc::io, fmt::format("cannot delete from '{}': no permission to write", log->name()), log->directory());
}

Result<TrimResult> trim_once(const Home& home, const TopicMetadata& topic, PartitionId partition, const Place& to,
                             Deadline deadline) {
  PG_ASSIGN(const auto log, open_to_delete_from(home, topic, partition, deadline));
  // The state is not kept: a write may have to rebuild it, which it can when nobody has it.
  const auto [position, end] = [&] {
    const auto state = log->current_state();
    return std::pair(state->position(), state->high_watermark());
  }();
  PG_ASSIGN(const Offset start, resolve_place(*log, to, position.log_start, end));
  PG_CHECK(log->raise_log_start(start, deadline));
  // Where nothing is left, the active segment goes too.
  if (start == end) PG_CHECK(log->roll_active(deadline));
  // At once: a caller that trims wants the space.
  PG_ASSIGN(const auto removed, log->delete_old_segments(std::chrono::milliseconds(0), deadline));
  return TrimResult{std::max(start, position.log_start), removed.segments, removed.bytes};
}

}  // namespace

Result<TrimResult> trim_partition(const Home& home, const TopicMetadata& topic, PartitionId partition, const Place& to,
                                  Deadline deadline) {
  const LogDirectory directory = log_directory_of(home, topic, partition);
  auto trimmed = directory.with_reserve([&] { return trim_once(home, topic, partition, to, deadline); });
  directory.keep_reserve();
  return trimmed;
}

Result<Maintenance> maintain_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                       bool trust_clock, Deadline deadline) {
  const LogDirectory directory = log_directory_of(home, topic, partition);
  PG_ASSIGN(const auto log,
            directory.with_reserve([&] { return open_to_delete_from(home, topic, partition, deadline); }));
  const LogConfig config = log->config();
  const auto now_ms = believed_wall_ms(home.env(), log->current_state()->page(), trust_clock);
  const bool needs_clock = config.cleanup_compact || (config.cleanup_delete && config.retention_ms >= 0);
  if (!now_ms && needs_clock) home.env().notice(clock_notice(log->name()));
  Maintenance done;
  PG_ASSIGN(done.deleted,
            directory.with_reserve([&] { return apply_retention(*log, now_ms, ActiveSegmentToo::yes, deadline); }));
  if (config.cleanup_compact && now_ms) {
    PG_ASSIGN(done.compacted, compact_log(*log, *now_ms, deadline, kCompactionMapBytes, ActiveSegmentToo::yes));
    PG_CHECK(log->delete_old_segments(std::chrono::milliseconds(config.file_delete_delay_ms), deadline));
  }
  PG_ASSIGN(const auto state, log->state(deadline));
  done.log_start = state->position().log_start;
  directory.keep_reserve();
  return done;
}

}  // namespace pg
