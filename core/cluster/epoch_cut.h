// Where a follower's log parts from its leader's. Pure.
//
// Two logs that have records of one epoch have them from the same leader, so at each offset the same. They are alike up
// to the end of the largest epoch that both have, in the log where that ends first. Sources: Apache Kafka, KIP-101,
// KIP-279.
#pragma once

#include "core/format/checkpoint_text.h"

namespace pg {

// One replica's epochs and its log end.
struct EpochLog {
  EpochHistory epochs;
  Offset log_end;
};

// Up to where `mine` may stay. `first`: where one of them begins, if they have no epoch in common.
Offset common_end(const EpochLog& mine, const EpochLog& leaders, Offset first);

// Without one, nothing tells that records of both are the same.
bool have_common_epoch(const EpochHistory& mine, const EpochHistory& leaders);

}  // namespace pg
