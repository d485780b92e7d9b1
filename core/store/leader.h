// The log of a partition's leader, which may change at any time where there is more than one replica.
#pragma once

#include <memory>
#include <optional>

#include "core/os/signals.h"
#include "core/store/home.h"

namespace pg {

// Opens it for appending, and waits for an election if nobody leads now. `topic` becomes the metadata that says who.
// Errors: not_leader (nobody leads until `deadline`: the message says who should), not_found (the topic was deleted),
// interrupted, and those of Home::open_partition.
Result<std::unique_ptr<PartitionLog>> open_leader(const Home& home, TopicMetadata& topic, PartitionId partition,
                                                  Deadline deadline);

// Whether the caller should look for the leader again: this one is none, or no longer.
inline bool has_moved(const Error& error) { return error.code == Errc::fenced || error.code == Errc::not_leader; }

// The same where the log at hand may be lost, damaged or on a disk that fails: another replica will lead then. A topic
// that was deleted is noticed by open_leader().
inline bool may_be_led_elsewhere(const Error& error) {
  return has_moved(error) || error.code == Errc::not_found || error.code == Errc::io || error.code == Errc::corrupt;
}

// How long errors of a leader's log are borne, because another one may be elected: its broker and the controller see
// them too. One for each user of a log, who asks after each error.
class LeaderPatience {
 public:
  // Whether to look for the leader again; waits a moment first where nothing may have changed yet. A broker notices an
  // error of its disk within a few seconds or not at all, and where another replica has room it is elected within one.
  bool allows(Clock& clock, const Error& error, Deadline until);

 private:
  StopPatience stop_;
  std::optional<Deadline> disk_fails_since_, disk_failed_;  // the first and the last of errors that followed each other
};

// The error of who has no patience left. `fenced` is for those who look for the leader again: to others it says that
// they were replaced themselves.
Error out_of_patience(Error error);

// Marks a replica that is damaged or full: its broker and the controller see to it that another one leads, and mend it.
void note_fault(const PartitionLog& log, const Error& error);

// Opens it for reading what is committed. While an election is under way, or a new leader does not know yet how far
// that is, it waits; not where nobody is there to change that: reading needs no broker. `topic` may be of a while ago:
// who leads is looked up where it can have changed. not_found: the topic was deleted.
Result<std::unique_ptr<PartitionLog>> open_committed(const Home& home, const TopicMetadata& topic,
                                                     PartitionId partition, Deadline deadline);

// Waits until everything below `end`, as the leader's log in `log` has it, is on stable storage wherever it has to be.
// fenced: the leader changed. With one replica that is a flush.
Result<> make_durable(PartitionLog& log, const Appended& upto, Deadline deadline);

}  // namespace pg
