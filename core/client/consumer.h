// Reads topics: batch by batch for tools, record by record for everybody else.
//
//   auto consumer = Consumer::open(**home, {.topics = {"orders"}});
//   while (auto record = (*consumer)->next_record()) { if (!*record) break; … (*record)->value … }
//
// Without `follow` it reads to the ends seen when it was opened. Takes no locks while reading. Not thread-safe.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/format/record_batch.h"
#include "core/log/epoch_guard.h"
#include "core/log/log_reader.h"
#include "core/log/transactions.h"
#include "core/store/home.h"

namespace pg {

// A place in a partition, to be worked out for each partition when it is opened.
struct Place {
  enum class Kind { start, end, offset, after_start, before_end, timestamp };
  Kind kind = Kind::start;
  int64_t value = 0;  // an offset, a count of offsets from the start or the end, or milliseconds since the epoch
  bool operator==(const Place&) const = default;
};

// The offset at `place` of a log that holds the offsets from `log_start` to below `end`. It may lie outside of these.
Result<Offset> resolve_place(PartitionLog& log, const Place& place, Offset log_start, Offset end,
                             bool skip_damage = false);

// Offsets from `from` to below `to` that cannot be read, and why.
struct SkippedDamage {
  TopicPartition partition;
  Offset from;
  Offset to;
  Error error;
};

// Records that a reader has passed and that the log no longer has: an election or a cut of the log has lost them.
struct LostRecords {
  TopicPartition partition;
  Offset from;             // the first that is missing
  Offset to;               // up to where the reader was
  LeaderEpoch epoch;       // of the last record that it has read
  Offset next;             // where it goes on
  LeaderEpoch next_epoch;  // of the log there
};
// For people.
std::string describe(const LostRecords& lost);

struct ConsumerOptions {
  std::vector<std::string> topics;
  std::vector<PartitionId> partitions = {};  // empty: all
  Place from = {};
  std::optional<Place> to = {};  // exclusive; empty: the end, or for ever with `follow`
  bool follow = false;
  Isolation isolation = Isolation::read_committed;
  Duration timeout = kTimeoutDefault;  // for opening a partition whose state somebody is rebuilding
  // If set, damage does not end the reading: this is told what is left out, and it goes on behind it.
  std::function<void(const SkippedDamage&)> skip_damage = {};
  // Called with a transaction behind which nothing can be read yet. Without `follow` the reading of its partition ends
  // there. With `follow` the consumer waits, and calls this once the wait is long. Empty: a notice instead.
  std::function<void(const TopicPartition&, const OpenTransaction&)> held_back = {};
  // Called before the reader goes back to the first record that it has lost. A notice says so in any case.
  std::function<Result<>(const LostRecords&)> on_lost = {};
};

// A batch and which of its records were asked for: those from `from` to below `to`.
struct FetchedBatch {
  const TopicPartition* source = nullptr;
  ScannedBatch batch;  // valid until the consumer is used again
  Offset from;
  Offset to;
  Decompressor* decompressor = nullptr;  // the consumer's
  bool aborted = false;                  // its transaction was aborted: no consumer gets its records
  // Where its wanted records end.
  Offset end() const { return std::min(to, batch.header.end_offset()); }
};

struct ConsumedRecord : RecordView {
  const TopicPartition* source = nullptr;
  LeaderEpoch leader_epoch;
  TimestampType timestamp_type = TimestampType::create;
};

// One batch's wanted records, in order. They are valid until the consumer is used or another batch is begun.
class FetchedRecords {
 public:
  static Result<FetchedRecords> begin(const FetchedBatch& fetched);
  Result<bool> next(ConsumedRecord& record);

 private:
  FetchedRecords(const FetchedBatch& fetched, RecordCursor cursor) : fetched_(fetched), cursor_(std::move(cursor)) {}
  FetchedBatch fetched_;
  RecordCursor cursor_;
};

class Consumer {
 public:
  // Borrows `home`. Errors: not_found (topic, partition), out_of_range (an offset that no chosen partition has; where
  // only some lack it, they are skipped with a notice).
  static Result<std::unique_ptr<Consumer>> open(Home& home, ConsumerOptions options);

  // One more partition, from an offset that it has on; without `follow`, to the end that it has now.
  void add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from);
  // The same for an offset that was known before; `epochs` knows of which epoch.
  void add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from, EpochGuard epochs);
  void remove(const TopicPartition& partition);
  // The offset that is read next; empty: it has no such partition.
  std::optional<Offset> next_offset(const TopicPartition& partition) const;

  // The next batch. Empty: every end is reached, or, with `follow`, nothing came until `deadline`. Partitions take
  // turns, and a partition is read on at its new leader when that changes. Errors: corrupt (the message names the
  // file), not_found (the topic was deleted), timed_out (records that were there are committed nowhere now).
  Result<std::optional<FetchedBatch>> poll(Deadline deadline = kNoDeadline);

  // The same record by record.
  Result<std::optional<ConsumedRecord>> next_record(Deadline deadline = kNoDeadline);

  // Whether everything that was asked for has been returned; never true for a follower without `to`.
  bool at_end() const;

  size_t source_count() const { return sources_.size(); }
  // Whether every partition is read from its first record on.
  bool from_start() const { return from_start_; }

 private:
  // The consumer waits for these transactions to end.
  struct HeldBack {
    std::vector<int64_t> producers;
    OpenTransaction first;  // what is known of it
    Deadline say_so = kNoDeadline;
  };
  struct Source {
    TopicPartition partition;
    std::unique_ptr<PartitionLog> log;
    std::optional<LogReader> reader;
    EpochGuard epochs;
    LeaderEpoch begun{-1};  // of the log when `to` was found
    std::optional<Offset> to;
    std::optional<TransactionOutcomes> transactions;  // once there was one
    bool begins_behind = false;  // nobody has looked yet for a transaction that is open before its first record
    std::optional<HeldBack> held;
    Deadline looked{};                // when the metadata was last asked for another leader
    std::optional<Deadline> failing;  // since when its log cannot be opened; another replica may lead soon
    bool done() const { return to && reader->next_offset() >= *to; }
    // Up to here the log has nothing new for it.
    Offset seen_to() const { return held && transactions ? transactions->seen_to() : reader->next_offset(); }
  };

  Consumer(Home& home, ConsumerOptions options) : home_(home), options_(std::move(options)) {}
  Result<> add_source(const TopicMetadata& topic, PartitionId partition);
  void begin_reading(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from,
                     std::optional<Offset> to);
  Result<std::optional<FetchedBatch>> fetch(Source& source);
  Result<std::optional<FetchedBatch>> fetch_here(Source& source);
  Result<bool> decide(Source& source, FetchedBatch& fetched);
  Result<bool> decide_or_hold_back(Source& source, FetchedBatch& fetched);
  Result<std::optional<TransactionOutcomes::Outcome>> outcome_of(Source& source, int64_t producer_id, Offset offset);
  Result<> look_behind(Source& source);
  void hold_back(Source& source, HeldBack held);
  Result<bool> is_held_back(Source& source);
  void say_held_back(Source& source);
  Result<bool> move_to_leader(Source& source);
  Result<bool> go_back_if_lost(Source& source, Offset passed);
  Result<> lower_lost_end(Source& source);
  void let_go_of_stale();
  bool must_move(const Source& source, const Result<std::optional<FetchedBatch>>& fetched) const;
  Result<std::optional<ScannedBatch>> read_batch(Source& source, Offset end);
  bool skips(const Error& error) const { return error.code == Errc::corrupt && options_.skip_damage; }
  Result<> wait(Deadline deadline);
  Result<std::optional<ConsumedRecord>> next_of_batch();

  Home& home_;
  ConsumerOptions options_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::optional<Error> out_of_range_;  // the first partition that lacks the offset asked for
  size_t turn_ = 0;
  Decompressor decompressor_;  // of all sources: one batch is looked at at a time
  bool from_start_ = true;
  // Of next_record(): the batch at hand, and the offset behind the last record of it.
  std::optional<FetchedBatch> fetched_;
  std::optional<FetchedRecords> records_;
  Offset next_;
};

// A record that owns its bytes.
class OwnedRecord {
 public:
  explicit OwnedRecord(const ConsumedRecord& record);
  // Valid as long as this record is neither moved nor destroyed.
  ConsumedRecord view() const;
  Offset offset() const { return record_.offset; }
  int64_t timestamp_ms() const { return record_.timestamp_ms; }

 private:
  TopicPartition source_;
  ConsumedRecord record_;  // its views point elsewhere: only view() may show them
  std::optional<std::string> key_, value_;
  std::string headers_;
};

// The `count` newest records over all chosen partitions, of those that are `wanted` (empty: all), oldest first; within
// a partition always in offset order.
using RecordPredicate = std::function<bool(const ConsumedRecord&)>;
Result<std::vector<OwnedRecord>> read_last(Home& home, const ConsumerOptions& options, int64_t count,
                                           const RecordPredicate& wanted = {});

}  // namespace pg
