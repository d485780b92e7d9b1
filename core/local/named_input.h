// The input of `pg-produce --input-id NAME`: which of its records the topic holds already, and how the others are
// counted, so that sending it again adds nothing twice.
//
// Records are counted in each partition, and their counts are in the batches. So the n-th record of the input for a
// partition is in the log if the log holds, or held, n records of this producer there; then the two are compared. While
// records that are there have not been reached, what is new is held back, so that an input which turns out to be
// another one has written nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/local/partitioner.h"
#include "core/local/producer_identity.h"
#include "core/log/producer_state.h"

namespace pg {

class NamedInput {
 public:
  // Borrows the logs, one for each partition of the topic. What they hold must stay there: opened when nobody else
  // could write under this identity any more, and committed.
  static Result<std::unique_ptr<NamedInput>> open(std::unique_ptr<ProducerIdentity> identity,
                                                  const std::vector<PartitionLog*>& logs, Deadline deadline);

  // Where the input's next record goes: by its key, or by its number, so that it goes there again the next time.
  PartitionId place(const std::optional<std::string_view>& key, Partitioner& partitioner) const;

  // Takes the input's next record. True: it is in the log. conflict: it is not what the log holds in its place.
  Result<bool> take(const Record& record, PartitionId partition);
  // The record that was taken last was new, and is refused: it does not count.
  void refuse(PartitionId partition);

  // Whether records that are in the log are still to come: nothing may be written.
  bool comparing() const { return unreached_ > 0; }
  // The input has ended, or is abandoned. conflict: it lacks records that are there, and has others.
  Result<> check_end() const;

  // Whether a batch must end before the record that was taken last.
  bool begins_epoch(PartitionId partition) const;
  // For the next batch of new records, and after it was appended.
  ProducerStamp next_stamp(PartitionId partition) const;
  void appended(PartitionId partition, int32_t record_count);

  // What was appended is on stable storage: notes how far the input is there, unless something of it is missing.
  Result<> save(Deadline deadline);

  bool has_skipped(PartitionId partition) const;
  int64_t skipped() const { return skipped_; }
  int64_t gone() const { return gone_; }  // of the skipped ones: no longer in the log, and so not compared
  int64_t missing() const;                // in the log, and not in the input

 private:
  struct Part {
    PartitionLog* log = nullptr;
    int64_t noted = 0;     // the row's count
    int64_t written = 0;   // how many are, or were, in the log
    int64_t taken = 0;     // of the input
    int64_t appended = 0;  // `written`, and what this run has added
    std::optional<WrittenBatches> batches;
    std::unique_ptr<Decompressor> decompressor;
    std::optional<RecordCursor> records;  // of the batch at hand
    RecordView record;
    int64_t batch_count = 0;  // of the batch's first record
    Offset batch_offset;
    int64_t record_count = -1;  // of `record`; -1: none yet
  };

  explicit NamedInput(std::unique_ptr<ProducerIdentity> identity) : identity_(std::move(identity)) {}
  Part& part(PartitionId partition) { return parts_[static_cast<size_t>(partition.value)]; }
  const Part& part(PartitionId partition) const { return parts_[static_cast<size_t>(partition.value)]; }
  Result<bool> take_counted(Part& part, const Record& record, int64_t count);
  Result<> compare(Part& part, const Record& record, int64_t count);
  Result<bool> find(Part& part, int64_t count);

  std::unique_ptr<ProducerIdentity> identity_;
  std::vector<Part> parts_;
  int64_t noted_ = 0;  // the sum of the row's counts: so many records of the input are known to be there
  int64_t taken_ = 0;
  int64_t skipped_ = 0;
  int64_t gone_ = 0;
  int32_t unreached_ = 0;        // partitions that hold records which were not taken yet
  std::optional<Error> failed_;  // the error that ended the comparison
};

}  // namespace pg
