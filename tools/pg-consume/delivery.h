// Which record may go to a command next, and what follows from how the command ended. Pure: it knows no processes, and
// time is what its caller says.
//
//   add(record)* → start(now) → the command runs → ended(job, …) → start(now) …
//
// Records wait in lanes, and of each lane one command runs at a time: a lane is a partition, or a key of a partition,
// or a single record, as DeliveryOrder says. A command that is to be tried again keeps its lanes while it waits.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/os/clock.h"
#include "tools/common/api.h"
#include "tools/pg-consume/offset_tracker.h"

namespace pg {

enum class DeliveryOrder {
  partition,  // one at a time of each partition
  key,        // one at a time of each key in a partition, and of its records without a key
  none,       // any number
};

inline constexpr Duration kRetryBackoffMax = std::chrono::minutes(5);

struct DeliveryOptions {
  DeliveryOrder order = DeliveryOrder::partition;
  size_t workers = 1;        // commands at once
  size_t batch_records = 1;  // the most that one command gets
  int64_t attempts_max = 1;
  Duration retry_backoff = std::chrono::seconds(1);  // before the second attempt; twice as long before each further one
  bool dead_letters = false;                         // there is a place for records whose attempts are used up
  size_t queue_bytes = 64 << 20;                     // with so much waiting, no more is wanted
};

// One command's work: records of one partition, in the order of their offsets.
struct DeliveryJob {
  uint64_t id = 0;
  TopicPartition partition;
  std::vector<OwnedRecord> records;
  int64_t attempt = 1;

 private:
  friend class Delivery;
  std::set<std::string> lanes_;
};

class Delivery {
 public:
  Delivery(DeliveryOptions options, Random& random) : options_(options), random_(random) {}

  // In offset order within each partition.
  void add(OwnedRecord record, LeaderEpoch epoch);
  // A record that no command needs to see, which counts as done.
  void pass(const TopicPartition& partition, Offset offset, LeaderEpoch epoch);
  // Whether a command could start if there were more records.
  bool wants_more() const;

  // What is to be started now; null: nothing. Valid until the job has finished or is dropped.
  const DeliveryJob* start(Deadline now);
  // When start() has something again although nothing else happens; empty: never.
  std::optional<Deadline> next_start() const;

  enum class Attempt { succeeded, failed, impossible };  // impossible: no attempt at any record can succeed
  // What becomes of a job whose command has ended.
  enum class Verdict {
    finished,
    retry,        // it starts again by itself, unless stop() or drop() comes first
    dead_letter,  // the caller puts its records away and calls dead_lettered()
    gave_up,      // nothing starts any more
  };
  Verdict ended(uint64_t job, Attempt attempt, Deadline now);
  void dead_lettered(uint64_t job);
  // Valid until the job has finished or is dropped.
  const DeliveryJob& job(uint64_t id) const { return jobs_.at(id)->job; }

  // Nothing starts any more.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  size_t running() const { return running_; }
  // Whether start() will never have anything again unless something is added.
  bool is_idle() const { return running_ == 0 && (stopped_ || (waiting_records_ == 0 && due_.empty())); }

  // The partition is given up: what waits is dropped, what runs goes on, and is not tried again.
  void drop(const TopicPartition& partition);
  size_t running_of(const TopicPartition& partition) const;
  // After drop(), and when nothing of it runs.
  void forget(const TopicPartition& partition);

  // See OffsetTracker.
  std::optional<OffsetTracker::Committable> committable(const TopicPartition& partition) const;

 private:
  // Records that must be worked on one after another, such as those of one key.
  struct Lane {
    std::deque<OwnedRecord> waiting;
    bool busy = false;
  };
  using Lanes = std::map<std::string, Lane>;
  // The lanes of one partition, and how far it is done.
  struct Partition {
    Lanes lanes;
    std::map<Offset, Lanes::iterator> ready;  // lanes that are not busy and not empty, by their first offsets
    size_t takeable = 0;                      // records in them
    OffsetTracker tracker;
    bool dropped = false;
  };
  // A job that was handed out: it runs, or waits until it is tried again.
  struct Started {
    DeliveryJob job;
    bool running = false;
    std::optional<Deadline> due;
  };

  std::string lane_of(const ConsumedRecord& record) const;
  void make_ready(Partition& partition, Lanes::iterator lane);
  std::map<TopicPartition, Partition>::iterator next_partition();
  Started& take(const TopicPartition& name, Partition& partition);
  OwnedRecord take_record(Partition& partition, DeliveryJob& job);
  void finish(Started& started);
  Deadline retry_time(int64_t attempt, Deadline now);
  static size_t size_of(const OwnedRecord& record);

  DeliveryOptions options_;
  Random& random_;
  std::map<TopicPartition, Partition> partitions_;
  TopicPartition turn_;  // the partition that was served last
  std::map<uint64_t, std::unique_ptr<Started>> jobs_;
  std::set<std::pair<Deadline, uint64_t>> due_;  // jobs that wait for their next attempt
  uint64_t next_id_ = 1;
  size_t running_ = 0;
  size_t waiting_records_ = 0, waiting_bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace pg
