// The writer: sends records to a topic.
#pragma once

#include <pilgrimage/record.h>
#include <pilgrimage/result.h>
#include <pilgrimage/types.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pilgrimage {

// Which copies of a record a producer waits for.
enum class Acks {
  none,    // none: the leader has it soon
  leader,  // the leader's
  all,     // those of all in-sync replicas
};

// When a producer forces records to stable storage. A topic's flush.ms may ask for more.
enum class FlushMode {
  never,  // the operating system decides: records survive a killed process, not a power cut
  exit,   // before close() returns, and at most a second after they were written
  batch,  // each batch, before the next is sent
};

// How a producer chooses the partition of a record that names none.
enum class PartitionerKind {
  murmur2,      // as Kafka's Java client: murmur2 of the key; without a key, sticky
  crc32,        // as librdkafka's consistent_random: CRC-32 of the key; empty or without a key, random
  round_robin,  // one after another, keys or not
  random,       // any, keys or not
  sticky,       // one until its batch is sent, then another, keys or not
};
// "murmur2", "crc32", "round-robin", "random", "sticky"; empty for any other name.
std::optional<PartitionerKind> parse_partitioner(std::string_view name);

// How a producer compresses batches. The numbers are Kafka's.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
// "none", "gzip", "snappy", "lz4", "zstd"; "unknown" for a number that no codec has.
const char* codec_name(int codec);
// The reverse; empty for any other name.
std::optional<Codec> parse_codec(std::string_view name);

// One batch that has reached what acks and flush ask for.
struct BatchReport {
  TopicPartition partition;
  Offset base_offset;  // of its first record
  int32_t record_count = 0;
  const char* state = "";  // "written", "flushed" or "committed"
};

// The id of an input has 1 to so many bytes.
inline constexpr size_t kInputIdBytesMax = 255;

struct ProducerOptions {
  size_t batch_bytes = 1 << 20;        // a batch is sent before it grows beyond this, not yet compressed
  Duration linger{0};                  // how long a batch waits for more records; see linger_deadline()
  Duration timeout = kTimeoutDefault;  // for what other processes hold, and for replicas
  Acks acks = Acks::all;
  FlushMode flush = FlushMode::exit;
  PartitionerKind partitioner = PartitionerKind::murmur2;
  Codec codec = Codec::none;                                      // unless the topic's compression.type names another
  bool create_topic = true;                                       // with one partition, if it does not exist
  std::function<void(const std::string& topic)> topic_made = {};  // called after the producer has created the topic
  // The id of this input. The producer compares records of it that are in the topic already, and skips them, so that
  // an input that is sent again adds nothing twice.
  std::optional<std::string> name = {};
  // With an id: how many bytes of new records wait in memory until those that are there were compared.
  size_t held_bytes_max = size_t{1} << 30;
  // Called when a batch has reached the state that acks and flush ask for. Another thread may call it, but never two at
  // once. Its failure is the producer's.
  std::function<Result<>(const BatchReport&)> report = {};
};

// What the topic held of an input with an id.
struct InputProgress {
  int64_t skipped = 0;  // records that were in the topic already
  int64_t gone = 0;     // of these: no longer in the topic, and so not compared
  int64_t missing = 0;  // records that are in the topic, and not in the input
};

// Gathers records into batches, one for each partition, and sends the batches. Not thread-safe: one thread uses it.
// Readers see a batch as soon as it is committed. Without close(), records that were not sent are dropped.
class Producer {
 public:
  virtual ~Producer() = default;

  // Adds a record to the batch of its partition, and sends that batch first if the record does not fit in. Creates the
  // topic if need be. Errors: limit (the record alone is larger than the topic allows: it is not added, and the records
  // before it are kept), invalid_argument (no key, in a compacted topic), not_found (no such partition), conflict (with
  // an input id: another record is there in its place), and those of sending a batch: timed_out, not_leader,
  // not_durable, no_space, io.
  virtual Result<> send(const Record& record, std::optional<PartitionId> partition = {}) = 0;

  // Sends every gathered batch now. Errors: those of sending a batch.
  virtual Result<> send_batches() = 0;
  // When a caller that has no record to send is to call send_batches(): the oldest gathered record has waited for
  // `linger`, or a batch under way needs attention. Empty: never.
  virtual std::optional<Deadline> linger_deadline() const = 0;

  // Sends what is gathered and flushes as FlushMode says; the producer is then done. `whole_input`: with an input id,
  // the input has ended here. conflict: the topic then holds records that the input lacks, and the input has others;
  // nothing was written.
  virtual Result<> close(bool whole_input = true) = 0;

  // The key and value of a record together may be no longer.
  virtual int32_t max_record_bytes() const = 0;
  virtual int64_t records_written() const = 0;
  // Records that were written, and those that were in the topic already.
  virtual int64_t records_done() const = 0;
  // With an input id; empty without.
  virtual std::optional<InputProgress> input() const = 0;
  // Whether the topic asks that each value matches the schema that is registered for it (config schema.validation).
  virtual bool asks_for_schema() const = 0;
  virtual int32_t partition_count() const = 0;
};

}  // namespace pilgrimage
