// Transactions in one partition's log, as Kafka's producers write them: which are open, and how the others ended.
//
// A producer has at most one at a time, so a record of a transaction belongs to the next marker (control_record.h) of
// its producer id, whatever epoch the marker has: a marker that fences the producer has a higher one. Below the last
// stable offset every transaction has ended. Readers of committed records get nothing at or above it, and below it no
// aborted records. Only what the log still holds counts: a transaction whose records are all deleted is not open.
//
// Only the markers count. Kafka's .txnindex files repeat a part of what they say, and are not needed. A log without
// transactional batches pays for none of this.
#pragma once

#include <pilgrimage/consumer.h>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/log/log_reader.h"

namespace pg {

using pilgrimage::Isolation;

struct OpenTransaction {
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t coordinator_epoch = -1;  // of the producer's last marker; -1: it has none
  Offset first_offset;             // of its records that the log still has
  int64_t since_ms = -1;           // the timestamp of these; -1: none is known

  // "producer 7 (epoch 0) since offset 12, open for 3 h"
  std::string text(int64_t now_ms) const;
};

// The transactions that have records below `end` and no marker below it, in the order of their first offsets. Where
// nothing in the active segment is transactional and its producer snapshot tells of none, no batch is read.
Result<std::vector<OpenTransaction>> open_transactions(PartitionLog& log, Offset end);

// The first offset of the first open transaction; `end` if there is none.
Result<Offset> last_stable_offset(PartitionLog& log, Offset end);

// Up to where a reader gets records now: the last stable offset, or the high watermark.
Result<Offset> readable_end(PartitionLog& log, Isolation isolation);

// How the transactions ended whose records a reader meets. Looks ahead, no further than needed, and remembers the
// markers. Checks each batch on the way whole: a batch with a damaged length could hide a marker. Not thread-safe; one
// per reader.
class TransactionOutcomes {
 public:
  enum class Outcome : uint8_t { committed, aborted };

  // Borrows `log`. `pass_damage`: looks on behind damage.
  TransactionOutcomes(PartitionLog& log, bool pass_damage) : log_(&log), pass_damage_(pass_damage) {}

  // How the producer's transaction with a record at or below `offset` ended; empty: there is no marker below `end`,
  // which must not be above the high watermark. No call may ask for a lower offset than the one before. corrupt: a
  // batch behind `offset` cannot be read, and may have been the marker.
  Result<std::optional<Outcome>> of(int64_t producer_id, Offset offset, Offset end);

  // Every batch below it was looked at.
  Offset seen_to() const { return reader_ ? reader_->next_offset() : Offset(0); }

 private:
  struct Marker {
    Offset offset;
    Outcome outcome;
  };
  struct Damage {
    Offset from, to;
    Error error;
  };

  Result<bool> look_further(Offset from, Offset end);
  Result<> note(const ScannedBatch& batch, Offset from);
  void forget_below(Offset offset);
  Result<> check_undamaged(Offset from, Offset to) const;

  PartitionLog* log_;
  bool pass_damage_;
  std::optional<LogReader> reader_;
  std::unordered_map<int64_t, std::deque<Marker>> markers_;  // by producer id, in the order of the log
  std::deque<std::pair<Offset, int64_t>> order_;             // all of them: offset and producer id
  std::deque<Damage> damage_;
};

}  // namespace pg
