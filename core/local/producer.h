// The producer on the files of one host: gathers records into batches per partition and appends the batches to the
// logs.
//
// Where there is much to send, a thread of its own appends one batch while the next is gathered; its error is that of a
// later call, and until then the sending thread has the stop signals of job control blocked, so that Ctrl-Z stops no
// process that holds a lock. With FlushMode::exit another thread flushes what was written at most a second ago, so that
// an endless stream is not an unflushed one.
#pragma once

#include <pilgrimage/producer.h>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/format/record_batch.h"
#include "core/local/background.h"
#include "core/local/partitioner.h"
#include "core/local/replicated_writer.h"
#include "core/os/signals.h"
#include "core/store/home.h"

namespace pg {

using pilgrimage::BatchReport;
using pilgrimage::FlushMode;
using pilgrimage::ProducerOptions;

class NamedInput;

class LocalProducer final : public pilgrimage::Producer {
 public:
  // See Cluster::open_producer. Creating the topic can fail as Home::create_topic does. Borrows `home`.
  static Result<std::unique_ptr<LocalProducer>> open(Home& home, const std::string& topic, ProducerOptions options);
  ~LocalProducer() override;

  // Errors besides: those of PartitionLog::append and flush.
  Result<> send(const Record& record, std::optional<PartitionId> partition = {}) override;
  Result<> send_batches() override;
  std::optional<Deadline> linger_deadline() const override;
  // Also notes how far the logs need no recovery.
  Result<> close(bool whole_input = true) override;

  int32_t max_record_bytes() const override { return max_message_bytes_; }
  int64_t records_written() const override { return records_written_; }
  int64_t records_done() const override;
  std::optional<pilgrimage::InputProgress> input() const override;
  bool asks_for_schema() const override { return pg::asks_for_schema(topic_.config); }
  int32_t partition_count() const override { return static_cast<int32_t>(slots_.size()); }

 private:
  class Flusher;
  struct Slot {
    std::unique_ptr<PartitionLog> log;         // with more than one replica: only to read, for a name
    std::unique_ptr<ReplicatedWriter> writer;  // with more than one replica: what is written goes through it
    bool is_open() const { return log != nullptr || writer != nullptr; }
    BatchBuilder batch;
    Deadline first_added;
    std::vector<BatchBuilder> held;  // with a name: to be appended once the input was compared
    std::optional<Error> failed;     // with a name: what could not be appended leaves a gap that nothing may follow
  };

  LocalProducer(Home& home, TopicMetadata topic, ProducerOptions options);
  Result<> use_config();
  Result<> begin();
  bool is_made() const { return !topic_.partitions.empty(); }
  Result<> make_topic(const Record* first, std::optional<PartitionId> wanted);
  Result<> check_first(const Record& record, std::optional<PartitionId> wanted) const;
  tl::unexpected<Error> too_large() const;
  Result<> open_slot(PartitionId partition);
  void set_flushing(const LogConfig& config);
  Result<> send_batch(Slot& slot);
  bool is_worth_a_thread(const Slot& slot) const;
  Result<> settle_background();
  Result<> append_batch(Slot& slot);
  Result<> append_records(Slot& slot, BatchBuilder& batch);
  Result<> append_replicated(Slot& slot, BatchBuilder& batch);
  std::unique_ptr<ReplicatedWriter> make_writer(PartitionId partition);
  bool must_flush() const { return flush_interval_ != Duration::max(); }
  Result<> flush_if_due(Slot& slot);
  Result<> settle_replicated(bool flushed);
  Result<> noted(Result<> waited);
  Result<> hold_batch(Slot& slot);
  Result<> open_input();
  std::vector<PartitionLog*> logs() const;
  Result<> settle_earlier_runs();
  Result<bool> take_named(const Record& record, Slot& slot, PartitionId partition);
  Result<> end_input(bool whole_input);
  Result<> note_recovery_points(const OffsetCheckpoint& flushed);
  Deadline deadline() const;

  Home& home_;
  TopicMetadata topic_;
  ProducerOptions options_;
  size_t batch_bytes_;
  int32_t max_message_bytes_;
  bool compacted_ = false;  // every record needs a key
  std::optional<Partitioner>
      partitioner_;  // always there; a Partitioner cannot be assigned, and the topic may be made later
  std::unique_ptr<Compressor> compressor_;  // null: batches are not compressed
  std::vector<Slot> slots_;
  Duration flush_interval_{0};  // how long a record may stay unflushed; max: for ever
  std::unique_ptr<Flusher> flusher_;
  std::atomic<int64_t> records_written_ = 0;
  int64_t producer_id_ = 0;  // of batches in replicated partitions that have no name
  std::unique_ptr<NamedInput> input_;
  std::optional<Error> waited_out_;  // the last wait for replicas took its whole time-out
  size_t held_bytes_ = 0;
  BatchBuilder sending_;                  // the batch that background_ appends
  Slot* sending_slot_ = nullptr;          // its partition, until the append has ended
  std::optional<NoJobStop> no_job_stop_;  // held until the append has ended
  Background background_;                 // ends before what it uses
};

}  // namespace pg
