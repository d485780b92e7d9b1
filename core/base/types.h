// The values of the public API, as core names them.
#pragma once

#include <pilgrimage/types.h>

namespace pg {

using pilgrimage::BrokerId;
using pilgrimage::Deadline;
using pilgrimage::Duration;
using pilgrimage::kNoBroker;
using pilgrimage::kNoDeadline;
using pilgrimage::kTimeoutDefault;
using pilgrimage::LeaderEpoch;
using pilgrimage::Named;
using pilgrimage::Offset;
using pilgrimage::PartitionId;
using pilgrimage::TopicPartition;
using pilgrimage::Uuid;

// What a process may do with a partition's files.
enum class Access { read_only, read_write };

}  // namespace pg
