#include "core/client/admin.h"

#include <algorithm>

#include "core/format/path_names.h"
#include "core/log/segment_files.h"

namespace pg {

Result<PartitionDescription> describe_partition(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                                Deadline deadline) {
  PG_ASSIGN(const auto log, home.open_partition(topic, partition, Access::read_write, deadline));
  const auto state = log->current_state();
  const LogPosition position = state->position();
  PartitionDescription description;
  description.partition = partition;
  description.metadata = topic.partitions[static_cast<size_t>(partition.value)];
  description.leader_epoch = LeaderEpoch(state->page().leader_epoch.load());
  description.log_start = position.log_start;
  description.log_end = position.log_end;
  description.high_watermark = state->high_watermark();
  description.flushed = std::min(Offset(state->page().flushed.load()), position.log_end);
  FileSystem& files = home.env().files;
  PG_ASSIGN(const auto bases, list_segments(files, log->directory()));
  for (const Offset base : bases) {
    ++description.segments;
    if (base == position.active_segment) {
      description.bytes += position.segment_bytes;
    } else {
      PG_ASSIGN(const FileInfo info, files.info(names::segment(log->directory(), base, names::SegmentFile::log)));
      description.bytes += static_cast<int64_t>(info.size_bytes);
    }
  }
  return description;
}

}  // namespace pg
