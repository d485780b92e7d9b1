// Kafka's small text files. Each parser accepts what Kafka writes and says `corrupt` to anything else. A file of
// offsets is read line by line: it has one line for each partition, and a spoilt line must not cost the other
// partitions theirs.
//
//   leader-epoch-checkpoint                      recovery-point-offset-checkpoint (and its like)
//     0                 version                    0                       version
//     2                 entries                    2                       entries
//     0 0               epoch, its start offset    orders 0 42             topic, partition, offset
//     1 17                                         orders 1 7
//
//   partition.metadata                           meta.properties
//     version: 0                                   version=1
//     topic_id: 4jWmDhvaTPqHNtlMXZ8VVg             broker.id=0
//                                                  cluster.id=DHq8Wf0CTa2Ng1vSEwEYCQ
//
// Source: Apache Kafka, CheckpointFile.java, LeaderEpochCheckpointFile.java, PartitionMetadataFile.java.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/types.h"

namespace pg {

// The first offset of a leader epoch, a line of leader-epoch-checkpoint.
struct EpochStart {
  LeaderEpoch epoch;
  Offset start_offset;
  bool operator==(const EpochStart&) const = default;
};

// Ascending in both fields.
using EpochHistory = std::vector<EpochStart>;

std::string write_epoch_history(const EpochHistory& history);
Result<EpochHistory> parse_epoch_history(std::string_view text);

// The epoch that `offset` was written in; -1 before the first one.
LeaderEpoch epoch_at(const EpochHistory& history, Offset offset);

// Where a log that ends at `log_end` has left `epoch`: every record at or above was written in a later epoch. `log_end`
// if the log has not left it.
Offset end_of_epoch(const EpochHistory& history, LeaderEpoch epoch, Offset log_end);

// Opens `epoch` at `start_offset`: entries that start there or later hold no records any more and go.
void open_epoch(EpochHistory& history, LeaderEpoch epoch, Offset start_offset);

// The history once a batch of `epoch` is copied to `offset`, the log's end. Other epochs that begin there or later have
// no records, and must not hide a lower one.
EpochHistory with_batch(EpochHistory history, LeaderEpoch epoch, Offset offset);

using OffsetCheckpoint = std::map<TopicPartition, Offset>;
std::string write_offset_checkpoint(const OffsetCheckpoint& offsets);

// What can be read of a file of offsets.
struct OffsetLines {
  OffsetCheckpoint offsets;         // no partition that has two different ones
  std::vector<std::string> spoilt;  // the other lines, as they are
  std::string fault;  // what is wrong with the file; empty: nothing, and a partition without a line never had one
  bool is_whole() const { return fault.empty(); }
};
OffsetLines read_offset_lines(std::string_view text);
// A file with the same lines. If `lines` is not whole, the file is not whole either: a partition without a line may
// have had one.
std::string write_offset_lines(const OffsetLines& lines);

std::string write_partition_metadata(const Uuid& topic_id);
Result<Uuid> parse_partition_metadata(std::string_view text);

// The broker and the cluster to which a log directory belongs.
struct MetaProperties {
  BrokerId broker;
  Uuid cluster_id{};
  bool operator==(const MetaProperties&) const = default;
};
std::string write_meta_properties(BrokerId broker, const Uuid& cluster_id);
Result<MetaProperties> parse_meta_properties(std::string_view text);

}  // namespace pg
