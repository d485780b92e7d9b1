// Places in a partition to offsets.
#pragma once

#include <pilgrimage/consumer.h>

#include "core/log/partition_log.h"

namespace pg {

using pilgrimage::Place;

// The offset at `place` of a log that holds the offsets from `log_start` to below `end`. It may lie outside of these.
// `skip_damage`: a search by time passes over batches that cannot be read.
Result<Offset> resolve_place(PartitionLog& log, const Place& place, Offset log_start, Offset end,
                             bool skip_damage = false);

}  // namespace pg
