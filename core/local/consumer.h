// The consumer on the files of one host. Takes no locks while reading.
#pragma once

#include <pilgrimage/consumer.h>
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

using pilgrimage::BatchRecords;
using pilgrimage::ConsumedBatch;
using pilgrimage::ConsumedRecord;
using pilgrimage::ConsumerOptions;
using pilgrimage::LostRecords;
using pilgrimage::OwnedRecord;
using pilgrimage::Place;
using pilgrimage::SkippedDamage;

// Why nothing can be read behind an open transaction, for people.
std::string held_back_text(const TopicPartition& partition, const OpenTransaction& first, int64_t now_ms);

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

// One batch's wanted records, in order. They are valid until the consumer is used or another batch is begun.
class FetchedRecords final : public BatchRecords {
 public:
  static Result<FetchedRecords> begin(const FetchedBatch& fetched);
  Result<bool> next(ConsumedRecord& record) override;

 private:
  FetchedRecords(const FetchedBatch& fetched, RecordCursor cursor) : fetched_(fetched), cursor_(std::move(cursor)) {}
  FetchedBatch fetched_;
  RecordCursor cursor_;
};

// In place of them: why they cannot be read.
class UnreadableRecords final : public BatchRecords {
 public:
  explicit UnreadableRecords(Error error) : error_(std::move(error)) {}
  Result<bool> next(ConsumedRecord&) override { return tl::unexpected(error_); }

 private:
  Error error_;
};

class LocalConsumer final : public pilgrimage::Consumer {
 public:
  // Called with a transaction behind which nothing can be read yet. Without `follow` the reading of its partition ends
  // there. With `follow` the consumer waits, and calls this once the wait is long.
  using HeldBackNote = std::function<void(const TopicPartition&, const OpenTransaction&)>;

  // See Cluster::open_consumer. Borrows `home`. Without `held_back` a notice says so.
  static Result<std::unique_ptr<LocalConsumer>> open(Home& home, ConsumerOptions options, HeldBackNote held_back = {});

  // Reads one more partition from `from` on, an offset that its log has. Without `follow`, up to its end of now.
  void add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from);
  // The same for an offset from an earlier read; `epochs` has the epochs of the records before it.
  void add(const TopicPartition& partition, std::unique_ptr<PartitionLog> log, Offset from, EpochGuard epochs);
  void remove(const TopicPartition& partition);
  // The offset that is read next; empty: it has no such partition.
  std::optional<Offset> next_offset(const TopicPartition& partition) const;

  // A partition is read on at its new leader when that changes.
  Result<std::optional<ConsumedBatch>> poll(Deadline deadline = kNoDeadline) override;
  Result<std::optional<ConsumedRecord>> next_record(Deadline deadline = kNoDeadline) override;
  bool at_end() const override;

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

  LocalConsumer(Home& home, ConsumerOptions options, HeldBackNote held_back)
      : home_(home), options_(std::move(options)), held_back_(std::move(held_back)) {}
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
  Result<std::optional<FetchedBatch>> fetch_next(Deadline deadline);
  ConsumedBatch hand_out(const FetchedBatch& fetched);
  Result<std::optional<ConsumedRecord>> next_of_batch();

  Home& home_;
  ConsumerOptions options_;
  HeldBackNote held_back_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::optional<Error> out_of_range_;  // the first partition that lacks the offset asked for
  size_t turn_ = 0;
  Decompressor decompressor_;  // of all sources: one batch is looked at at a time
  bool from_start_ = true;
  // The records of the batch that was handed out last.
  std::optional<FetchedRecords> records_;
  std::optional<UnreadableRecords> unreadable_;
  // Of next_record(): the batch at hand, and the offset behind the last record of it.
  std::optional<ConsumedBatch> batch_;
  Offset next_;
};

}  // namespace pg
