// The open transactions of one partition: for an operator who knows that their producers cannot return.
#pragma once

#include <vector>

#include "core/log/transactions.h"
#include "core/store/home.h"

namespace pg {

// In the leader's log, whether committed by its replicas or not. Waits for a leader, as producers do.
Result<std::vector<OpenTransaction>> list_open_transactions(const Home& home, const TopicMetadata& topic,
                                                            PartitionId partition, Deadline deadline);

// Ends each of `open` with an ABORT marker, which is on stable storage of all replicas in sync on return. Leaves those
// alone that have ended meanwhile. Returns how many it ended. After an error the call can be repeated.
Result<int64_t> abort_transactions(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                   const std::vector<OpenTransaction>& open, Deadline deadline);

}  // namespace pg
