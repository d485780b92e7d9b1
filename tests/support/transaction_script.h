// Transactions in a log, written by a script of words: what producers of Kafka would have written.
//
//   "a+x b+y z a! b?"   producer a writes the value x, b writes y, somebody without a transaction writes z; a commits,
//   b aborts
//
// A producer is one letter: its id is its place in the alphabet. "A+x" writes the value compressed. "a^" aborts with an
// epoch that is one higher, as a coordinator does that fences the producer. "/" begins a new segment.
#pragma once

#include <cctype>
#include <map>
#include <sstream>
#include <string>

#include "core/format/control_record.h"
#include "core/log/partition_log.h"
#include "tests/support/must.h"

namespace pg {

class TransactionScript {
 public:
  explicit TransactionScript(PartitionLog& log, int64_t timestamp_ms = 1000)
      : log_(&log), timestamp_ms_(timestamp_ms) {}

  void write(const std::string& script) {
    std::istringstream words(script);
    for (std::string word; words >> word;) write_word(word);
  }

  // Goes on in the same log, opened again.
  void use(PartitionLog& log) { log_ = &log; }

  static std::vector<std::byte> transactional_batch(const std::string& value, const ProducerStamp& producer,
                                                    int64_t timestamp_ms, bool compressed = false) {
    BatchBuilder builder;
    PG_ASSERT(builder.add({.key = "k", .value = value}, timestamp_ms, 1 << 20));
    Compressor gzip(Codec::gzip);
    const MutableBytes batch = builder.finish(compressed ? &gzip : nullptr, producer);
    BatchHeader header = read_batch_header(batch);
    PG_ASSERT(!compressed || header.codec() == static_cast<int>(Codec::gzip));
    header.attributes = static_cast<int16_t>(header.attributes | 1 << 4);
    write_batch_header(batch, header);
    return {batch.begin(), batch.end()};
  }

 private:
  struct Producer {
    int16_t epoch = 0;
    int32_t sequence = 0;
  };

  void write_word(const std::string& word) {
    if (word == "/") return must(log_->roll_active(kNoDeadline));
    const bool of_producer = word.size() > 1 && std::string("+!?^").find(word[1]) != std::string::npos;
    if (!of_producer) return append(plain_batch(word));
    const int64_t id = std::tolower(word[0]) - 'a';
    Producer& producer = producers_[id];
    const std::string value = word.substr(2);
    switch (word[1]) {
      case '+':
        return append(transactional_batch(std::isupper(word[0]) ? value + std::string(200, '.') : value,
                                          {id, producer.epoch, producer.sequence++}, timestamp_ms_++,
                                          std::isupper(word[0])));
      case '!':
        return append(control_batch(id, producer.epoch, {ControlRecord::kCommit, 0}, timestamp_ms_++));
      case '?':
        return append(control_batch(id, producer.epoch, {ControlRecord::kAbort, 0}, timestamp_ms_++));
      default:
        break;
    }
    producer = {static_cast<int16_t>(producer.epoch + 1), 0};
    append(control_batch(id, producer.epoch, {ControlRecord::kAbort, 0}, timestamp_ms_++));
  }

  std::vector<std::byte> plain_batch(const std::string& value) {
    BatchBuilder builder;
    PG_ASSERT(builder.add({.key = "k", .value = value}, timestamp_ms_++, 1 << 20));
    const MutableBytes batch = builder.finish();
    return {batch.begin(), batch.end()};
  }

  void append(std::vector<std::byte> batch) { must(log_->append(batch, kNoDeadline)); }

  PartitionLog* log_;
  int64_t timestamp_ms_;
  std::map<int64_t, Producer> producers_;
};

}  // namespace pg
