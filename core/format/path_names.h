// Every name on disk is made and parsed here, and nowhere else. Names that are Kafka's are marked.
//
//   HOME/
//     cluster.json.v<n>  controller.json.v<n>
//     cluster.state                                     how the brokers are, while they run
//     topics/<topic>/topic.json.v<n>  .deleted-<n>
//     locks/producers  producer-<id>.holder             the process that uses a producer id
//           broker-<id>.lock                          the process that is a broker
//           supervisor-<id>.lock                      the process that supervises it
//           schemas-index.lock                        the process that writes schemas.index
//     schemas.index  .index.new                         _schemas, sorted (derived)
//     logs/broker-<id>.log .log.1                       what a supervised broker has logged
//     groups/<group>/                                   a consumer group; its offsets are in __consumer_offsets
//       members.lock  heartbeats                        which members run
//       owners/<topic>.lock                             the member that reads each partition
//     brokers/<id>/                                     a log directory, as Kafka's
//       meta.properties  .lock                          (Kafka)
//       .reserve-<n>                                    space for commands that free space
//       recovery-point-offset-checkpoint                (Kafka)
//       log-start-offset-checkpoint                     (Kafka)
//       cleaner-offset-checkpoint                       (Kafka)
//       replication-offset-checkpoint                   (Kafka) high watermarks
//       gap-end-offset-checkpoint                       below it a copied log may lack offsets
//       <checkpoint>.damaged.<n>                        a copy of a checkpoint that could not be read in full
//       .clean-stop                                     the broker stopped, and all was on stable storage
//       <topic>-<partition>/                            (Kafka)
//         <20 digits>.log .index .timeindex             (Kafka) named after the segment's base offset
//         <20 digits>.log.cleaned .log.swap .log.deleted, and so for the indexes (Kafka): see core/log/segment_list.h
//         <20 digits>.snapshot                          (Kafka) the producers before this segment
//         <20 digits>.torn-<n>                          bytes that recovery cut off the segment's end
//         <20 digits>.damaged-<n>                       bytes that repair took out of the segment
//         <20 digits>.index.aside-<n>                   what stood in the place of an index, or of a .timeindex
//         <20 digits>.log.repaired                      being made by repair
//         leader-epoch-checkpoint  partition.metadata   (Kafka)
//         partition.lock  partition.state
//         flush-failed                                  a flush to disk failed, and the partition was not repaired
//       <topic>-<partition>.<uuid>-delete/              (Kafka) being deleted
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/types.h"

namespace pg::names {

// Kafka's rule: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". invalid_argument says what is wrong.
Result<> check_topic(std::string_view topic);
// The same for a consumer group, whose name is that of a directory too. Kafka allows any.
Result<> check_group_name(std::string_view group);

// The files of a segment.
enum class SegmentFile { log, offset_index, time_index, snapshot };
inline constexpr SegmentFile kSegmentFiles[] = {SegmentFile::log, SegmentFile::offset_index, SegmentFile::time_index,
                                                SegmentFile::snapshot};
// A file that is on its way into the log or out of it has a second suffix: what each means is in
// core/log/segment_list.h.
enum class SegmentStage { live, cleaned, swap, deleted };

std::string segment(const std::string& directory, Offset base_offset, SegmentFile kind,
                    SegmentStage stage = SegmentStage::live);

// What a segment's file name says.
struct SegmentName {
  Offset base_offset;
  SegmentFile kind;
  SegmentStage stage;
};
std::optional<SegmentName> parse_segment(std::string_view file_name);
// The base offset of a segment's .log; empty for any other name.
std::optional<Offset> parse_log(std::string_view file_name);
std::string torn(const std::string& directory, Offset base_offset, int n);
std::string damaged(const std::string& directory, Offset base_offset, int n);
// What repair writes before it takes the place of the segment's .log.
std::string repaired(const std::string& directory, Offset base_offset);

std::string partition_directory(const std::string& log_directory, const TopicPartition& partition);
// For a directory's last component: "orders-eu-3" is partition 3 of "orders-eu".
std::optional<TopicPartition> parse_partition_directory(std::string_view file_name);
std::string deleted_partition_directory(const std::string& log_directory, const TopicPartition& partition,
                                        const Uuid& unique);
// A partition directory that is being made and not yet named by anything.
std::string new_partition_directory(const std::string& log_directory, const TopicPartition& partition,
                                    const Uuid& unique);
// Whether a directory's last component is of those two kinds; empty for any other name.
enum class PartitionStage { making, deleted };
std::optional<PartitionStage> parse_partition_stage(std::string_view file_name);

std::string partition_lock(const std::string& directory);
std::string partition_state(const std::string& directory);
std::string flush_failed(const std::string& directory);
std::string epoch_checkpoint(const std::string& directory);
std::string partition_metadata(const std::string& directory);

std::string brokers_directory(const std::string& home);
std::string log_directory(const std::string& home, BrokerId broker);
std::string log_directory_lock(const std::string& log_directory);
std::string recovery_checkpoint(const std::string& log_directory);
std::string log_start_checkpoint(const std::string& log_directory);
std::string cleaner_checkpoint(const std::string& log_directory);
std::string replication_checkpoint(const std::string& log_directory);
std::string gap_checkpoint(const std::string& log_directory);
// The copy of a checkpoint that cannot be read in full. It cannot be the name of a partition.
std::string damaged_checkpoint(const std::string& checkpoint, int n);
std::string clean_stop(const std::string& log_directory);
std::string reserve(const std::string& log_directory, int n);
std::string disk_probe(const std::string& log_directory);
std::string meta_properties(const std::string& log_directory);

std::string cluster_file(const std::string& home);     // without its version
std::string controller_file(const std::string& home);  // without its version
std::string cluster_state(const std::string& home);
std::string topics_directory(const std::string& home);
std::string topic_file(const std::string& home, std::string_view topic);  // without its version
// Stands beside the empty version that says that a topic was deleted, to tell it from one that damage has emptied.
std::string deletion_mark(const std::string& topic_file, int64_t version);

std::string locks_directory(const std::string& home);
// Held by the process that is the broker, for as long as it is.
std::string broker_lock(const std::string& home, BrokerId broker);
// Held by the process that looks after a broker in the background.
std::string supervisor_lock(const std::string& home, BrokerId broker);
std::string logs_directory(const std::string& home);
std::string broker_log(const std::string& home, BrokerId broker);
std::string older_log(const std::string& log);
std::string producers_lock(const std::string& home);
std::string producer_holder(const std::string& home, int64_t producer_id);

// The rows of _schemas, sorted; the next version of that file while it is written; the lock of the process that writes
// it.
std::string schema_index(const std::string& home);
std::string new_schema_index(const std::string& home);
std::string schema_index_lock(const std::string& home);

std::string groups_directory(const std::string& home);
std::string group_directory(const std::string& home, std::string_view group);
std::string group_members_lock(const std::string& home, std::string_view group);
std::string group_heartbeats(const std::string& home, std::string_view group);
std::string group_owners_directory(const std::string& home, std::string_view group);
// A byte per partition of the topic.
std::string group_owners_lock(const std::string& home, std::string_view group, std::string_view topic);

std::string versioned(const std::string& path, int64_t version);
// The n of "<base>.v<n>"; empty where `file_name` is not a version of `base`.
std::optional<int64_t> parse_version(std::string_view file_name, std::string_view base);

std::string_view last_component(std::string_view path);

}  // namespace pg::names
