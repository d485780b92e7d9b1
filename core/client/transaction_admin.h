// Transactions that have not ended, of one partition: for an operator who knows that their producers cannot return.
#pragma once

#include <vector>

#include "core/log/transactions.h"
#include "core/store/home.h"

namespace pg {

// In the leader's log, whether committed by its replicas or not. Waits for a leader, as producers do.
Result<std::vector<OpenTransaction>> list_open_transactions(const Home& home, const TopicMetadata& topic, PartitionId partition, Deadline deadline);

// Ends each of `open` with an ABORT marker, on stable storage wherever the partition is kept; those that have ended meanwhile are left
// alone. How many it ended. An error may come after some of them: then it can be repeated.
Result<int64_t> abort_transactions(const Home& home, const TopicMetadata& topic, PartitionId partition,
                                   const std::vector<OpenTransaction>& open, Deadline deadline);

}  // namespace pg
