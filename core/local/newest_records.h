// The newest records of several partitions.
#pragma once

#include <pilgrimage/consumer.h>
#include <vector>

#include "core/store/home.h"

namespace pg {

using pilgrimage::RecordPredicate;

// See Cluster::read_newest.
Result<std::vector<pilgrimage::OwnedRecord>> read_newest(Home& home, const pilgrimage::ConsumerOptions& options,
                                                         int64_t count, const RecordPredicate& wanted = {});

}  // namespace pg
