// The log of a partition's leader, which may change at any time where there is more than one replica.
#pragma once

#include <memory>

#include "core/store/home.h"

namespace pg {

// Opens it for appending, and waits for an election if nobody leads now. `topic` becomes the metadata that says who. Errors:
// not_leader (nobody leads until `deadline`: the message says who should), not_found (the topic was deleted), interrupted,
// and those of Home::open_partition.
Result<std::unique_ptr<PartitionLog>> open_leader(const Home& home, TopicMetadata& topic, PartitionId partition, Deadline deadline);

// Whether the caller should look for the leader again: this one is none, or no longer.
inline bool has_moved(const Error& error) { return error.code == Errc::fenced || error.code == Errc::not_leader; }

// Waits until everything below `end`, as the leader's log in `log` has it, is on stable storage wherever it has to be. fenced:
// the leader changed. With one replica that is a flush.
Result<> make_durable(PartitionLog& log, const Appended& upto, Deadline deadline);

}  // namespace pg
