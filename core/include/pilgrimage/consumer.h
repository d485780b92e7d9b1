// The reader: hands out the records of topics.
#pragma once

#include <pilgrimage/record.h>
#include <pilgrimage/result.h>
#include <pilgrimage/types.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pilgrimage {

// Which records of transactions a reader gets (Kafka's isolation.level): those of committed ones, or all.
enum class Isolation : uint8_t { read_committed, read_uncommitted };

// A place in a partition, which becomes an offset when the partition is opened.
struct Place {
  enum class Kind { start, end, offset, after_start, before_end, timestamp };
  Kind kind = Kind::start;
  int64_t value = 0;  // an offset, a count of offsets from the start or the end, or milliseconds since the epoch
  bool operator==(const Place&) const = default;
};

// Offsets from `from` to below `to` that cannot be read, and why.
struct SkippedDamage {
  TopicPartition partition;
  Offset from;
  Offset to;
  Error error;
};

// Records that a reader has passed and that the log no longer has, because an election or a truncation has lost them.
struct LostRecords {
  TopicPartition partition;
  Offset from;             // the first that is missing
  Offset to;               // up to where the reader was
  LeaderEpoch epoch;       // of the last record that the reader has read
  Offset next;             // where the reader goes on
  LeaderEpoch next_epoch;  // of the log there
};
// One line for people.
std::string describe(const LostRecords& lost);

struct ConsumerOptions {
  std::vector<std::string> topics;
  std::vector<PartitionId> partitions = {};  // of each topic; empty: all
  Place from = {};
  std::optional<Place> to = {};  // exclusive; empty: the end seen when reading begins, or none with `follow`
  bool follow = false;           // goes on with records that are written later
  Isolation isolation = Isolation::read_committed;
  Duration timeout = kTimeoutDefault;  // for a partition whose state another process is rebuilding
  // If set, damage does not end the reading: the consumer reports what it leaves out, and goes on behind it.
  std::function<void(const SkippedDamage&)> skip_damage = {};
  // Called before the reader goes back to the first record that it has lost. A notice says so in any case.
  std::function<Result<>(const LostRecords&)> on_lost = {};
};

// The records of one batch, in order. The consumer owns it.
class BatchRecords {
 public:
  virtual ~BatchRecords() = default;
  // Fills in the next record that was asked for. Its views are valid until the consumer is used again. False: there is
  // none. corrupt: the rest of the batch cannot be read.
  virtual Result<bool> next(ConsumedRecord& record) = 0;
};

// A batch, and which of its records were asked for. It is valid until the consumer is used again.
struct ConsumedBatch {
  const TopicPartition* source = nullptr;
  Offset from;  // records from here …
  Offset end;   // … to below this were asked for
  LeaderEpoch leader_epoch;
  TimestampType timestamp_type = TimestampType::create;
  size_t size_bytes = 0;  // as stored
  bool aborted = false;   // its transaction was aborted: next() gives none of its records
  BatchRecords* records = nullptr;

  Result<bool> next(ConsumedRecord& record) const { return records->next(record); }
};

// Reads topics batch by batch, or record by record. Without `follow` it reads to the ends seen when it was opened.
// Partitions take turns. Not thread-safe.
class Consumer {
 public:
  virtual ~Consumer() = default;

  // The next batch. Empty: every end is reached, or, with `follow`, no batch came until `deadline`. Errors: corrupt
  // (the message names the place), not_found (the topic was deleted), timed_out (records that were there are not
  // committed any more).
  virtual Result<std::optional<ConsumedBatch>> poll(Deadline deadline = kNoDeadline) = 0;

  // The next record, in place of poll().
  virtual Result<std::optional<ConsumedRecord>> next_record(Deadline deadline = kNoDeadline) = 0;

  // Whether everything that was asked for has been returned. With `follow` and without `to` it never is.
  virtual bool at_end() const = 0;
};

// Whether a record is wanted.
using RecordPredicate = std::function<bool(const ConsumedRecord&)>;

}  // namespace pilgrimage
