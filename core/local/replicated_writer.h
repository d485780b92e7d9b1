// Appends to one partition that several brokers have, wherever its leader is. It waits for what the caller's acks ask
// for and keeps each batch until then. After an election it sends a batch again if the new leader's log does not have
// it, which the epochs of that log tell (core/format/batch_fate.h). One thread.
#pragma once

#include <pilgrimage/producer.h>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "core/format/batch_fate.h"
#include "core/format/record_batch.h"
#include "core/store/home.h"
#include "core/store/leader.h"

namespace pg {

using pilgrimage::Acks;

class ReplicatedWriter {
 public:
  struct Options {
    Acks acks = Acks::all;
    bool flush = true;  // done: on stable storage too
    Duration timeout = kTimeoutDefault;
  };
  // Called for each batch that is done, in order.
  using Done = std::function<Result<>(Offset base_offset, int32_t record_count)>;

  // Borrows `home`. `producer_id`: of batches that have no other one's stamp.
  ReplicatedWriter(const Home& home, TopicMetadata topic, PartitionId partition, Options options, int64_t producer_id,
                   Done done);

  // Finds the leader. Errors: not_leader (nobody leads within the timeout), not_found.
  Result<> open();

  PartitionId partition() const { return partition_; }
  // Of all batches that a leader's log took, also of the last one if append() failed after that.
  int64_t records_sent() const { return sent_; }
  // The stamp of the next batch.
  ProducerStamp next_stamp() const { return ProducerStamp::of(producer_id_, sent_); }

  // Appends a copy of an encoded batch; the base offset. Returns before it is done, unless too much is under way.
  // Errors: not_durable (too few replicas in sync: names those that are missing), not_leader and timed_out, which say
  // that it may have been written, and those of PartitionLog::append.
  Result<Offset> append(MutableBytes batch, int32_t record_count);

  // Waits until everything is with whom acks name; with `flushed`, as far as the options ask for that, on stable
  // storage too.
  Result<> settle(bool flushed);
  // Waits for all that the log holds now as settle(true) waits for what was sent: no election takes it back.
  Result<> rely_on_log();
  // Whether something is not done yet.
  bool has_open() const { return !open_.empty(); }

 private:
  struct Batch {
    std::vector<std::byte> bytes;  // empty: committed already, and not kept any more
    int32_t record_count = 0;
    Appended appended{};
    std::vector<WrittenBatch> places;  // all places that leaders gave it; `appended` is the one that counts
  };

  Deadline deadline() const;
  // Something that is done at the log of a leader.
  using Step = std::function<Result<>(PartitionLog& log)>;
  Result<> at_leader(const Step& step, Deadline deadline);
  Result<> find_leader(Deadline deadline);
  Result<> resend(Deadline deadline);
  Result<> resend_if_missing(Batch& batch, LeaderEpoch epoch, bool& is_missing, Deadline deadline);
  Result<> append_here(PartitionLog& log, MutableBytes bytes, Appended& appended, Deadline deadline);
  Result<> give_up(Error error);
  Result<bool> find_again(Batch& batch) const;
  Error nobody_knows(const Batch& batch) const;
  Result<> await_enough_in_sync(const PartitionLog& log, Deadline deadline);
  Error too_few(const PartitionState& state) const;
  Result<bool> reached(const Batch& batch, bool flushed);
  Result<> wait_for(const Batch& batch, bool flushed, Deadline deadline);
  Result<> wait_here(PartitionLog& log, const Appended& appended, bool flushed, Deadline deadline) const;
  Result<> take_done();
  const Batch& oldest_kept() const;  // needs one

  const Home& home_;
  TopicMetadata topic_;
  const PartitionId partition_;
  const Options options_;
  const int64_t producer_id_;
  Done done_;
  int64_t sent_ = 0;                   // records
  std::unique_ptr<PartitionLog> log_;  // null: the leader must be looked for
  LeaderPatience patience_;
  std::deque<Batch> open_;  // not done, oldest first
  size_t open_bytes_ = 0;
  std::optional<Error> failed_;  // what was sent before leaves a gap that nothing may follow
};

}  // namespace pg
