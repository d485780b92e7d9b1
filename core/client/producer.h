// Sends records to a topic: gathers them into batches per partition and appends the batches to the logs.
//
//   auto home = Home::open(posix_env(), "/var/lib/pilgrimage");
//   auto producer = Producer::open(**home, "orders", {});
//   (*producer)->send({.key = "k", .value = "v"});
//   (*producer)->close();   // sent, and with FlushMode::exit on stable storage
//
// Not thread-safe: one thread sends. Appended batches are visible to readers at once. Where there is much to send, a
// thread of its own appends one batch while the next is gathered; its error is that of a later call, and until then the
// sending thread has the stop signals of job control blocked, so that Ctrl-Z stops no process that holds a lock. With
// FlushMode::exit another one flushes what was written at most a second ago, so that an endless stream is not an
// unflushed one.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/client/background.h"
#include "core/client/partitioner.h"
#include "core/client/replicated_writer.h"
#include "core/format/record_batch.h"
#include "core/os/signals.h"
#include "core/store/home.h"

namespace pg {

// Where the topic's flush.ms asks for more, it gets more.
enum class FlushMode {
  never,  // the kernel writes it to disk when it likes; survives a killed process, not a power cut
  exit,   // on stable storage when close() returns, and at most a second after it was written
  batch,  // each batch is on stable storage before the next is sent
};

// What a batch has reached when it is reported.
struct BatchReport {
  TopicPartition partition;
  Offset base_offset;
  int32_t record_count = 0;
  const char* state = "";  // "written", "flushed" or "committed"
};

struct ProducerOptions {
  size_t batch_bytes = kBatchBytesDefault;  // a batch is sent before it grows beyond this, not yet compressed
  Duration linger{0};                       // how long a batch waits for more records; see linger_deadline()
  Duration timeout = kTimeoutDefault;       // for locks that others hold
  Acks acks = Acks::all;
  FlushMode flush = FlushMode::exit;
  PartitionerKind partitioner = PartitionerKind::murmur2;
  Codec codec = Codec::none;  // unless the topic's compression.type says another
  bool create_topic = true;
  std::function<void(const TopicMetadata&)> topic_made = {};  // called after the producer has made the topic
  // A name for this input: records of it that are in the topic already are compared and skipped. See named_input.h.
  std::optional<std::string> name = {};
  size_t held_bytes_max =
      kHeldBytesMax;  // how many bytes of new records wait in memory until those that are there were compared
  // Called when a batch has reached the state that acks and flush ask for; perhaps from the flushing thread, but never
  // twice at once. Its failure is the producer's.
  std::function<Result<>(const BatchReport&)> report = {};
};

class NamedInput;

class Producer {
 public:
  // A topic that does not exist is made, with one partition, by the first send() of a record that it can take, or by
  // close() of a whole input. Both can then fail as Home::create_topic does. Borrows `home`.
  static Result<std::unique_ptr<Producer>> open(Home& home, const std::string& topic, ProducerOptions options);
  ~Producer();  // without close(), what was not sent is dropped

  // Adds a record to the batch of its partition, and sends that batch first where the record does not fit in. Errors:
  // limit (the record alone is larger than max.message.bytes: it is not added, and the records before it are not
  // concerned), invalid_argument (no key, in a compacted topic), not_found (no such partition), and those of
  // PartitionLog::append and flush.
  Result<> send(const Record& record, std::optional<PartitionId> partition = {});

  // Sends every gathered batch now.
  Result<> send_batches();
  // When send_batches() is to be called by who has nothing to send: the oldest gathered record has waited for `linger`,
  // or something under way is to be looked after. Empty: never.
  std::optional<Deadline> linger_deadline() const;

  // Sends, flushes as FlushMode says, and notes how far the logs need no recovery. The producer is then done. With a
  // name: `whole_input` says that there is no more of it; conflict if the topic then holds records that it lacks and it
  // has others, and nothing was written.
  Result<> close(bool whole_input = true);

  // No key and value together may be longer.
  int32_t max_record_bytes() const { return max_message_bytes_; }
  int64_t records_written() const { return records_written_; }
  int64_t records_done() const;                                    // and those that are there already
  const NamedInput* input() const { return input_.get(); }         // with a name: what was skipped
  const ConfigMap& topic_config() const { return topic_.config; }  // as it was when this began
  int32_t partition_count() const { return static_cast<int32_t>(slots_.size()); }

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

  Producer(Home& home, TopicMetadata topic, ProducerOptions options);
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
  BatchBuilder sending_;                  // the background's
  Slot* sending_slot_ = nullptr;          // whose it is, while it is under way
  std::optional<NoJobStop> no_job_stop_;  // as long
  Background background_;                 // ends before what it uses
};

}  // namespace pg
