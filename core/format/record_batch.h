// Kafka's record batch, magic 2: bytes to views and records to bytes. Pure functions; nothing here knows about files.
//
//  offset  field                       offset  field
//       0  base offset        int64        27  base timestamp     int64  ms since the epoch
//       8  batch length       int32        35  max timestamp      int64
//      12  leader epoch       int32        43  producer id        int64  -1: none
//      16  magic = 2          int8         51  producer epoch     int16  -1
//      17  crc                uint32       53  base sequence      int32  -1
//      21  attributes         int16        57  record count       int32
//      23  last offset delta  int32        61  records
//
// Big-endian. `batch length` counts the bytes after itself. The CRC-32C covers everything from `attributes` on, so that
// a log may stamp the base offset and the leader epoch without touching it. Attributes: bits 0-2 codec, 3 timestamp
// type, 4 transactional, 5 control, 6 delete horizon.
//
// A record is zig-zag varints: length of the rest, attributes int8 = 0, timestamp delta, offset delta, key length (-1:
// null), key, value length (-1: null), value, header count, and per header: key length, key, value length, value.
//
// Source: Apache Kafka, clients/.../common/record/DefaultRecordBatch.java and DefaultRecord.java.
#pragma once

#include <pilgrimage/record.h>
#include <array>
#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/types.h"
#include "core/format/compression.h"

namespace pg {

inline constexpr size_t kBatchPrefixBytes = 12;  // base offset and batch length
inline constexpr size_t kBatchHeaderBytes = 61;
inline constexpr size_t kBatchCrcStart = 21;
inline constexpr int8_t kBatchMagic = 2;

using pilgrimage::Header;
using pilgrimage::Record;
using pilgrimage::RecordView;
using pilgrimage::TimestampType;

// The producer of a batch and the numbers of its records, which tell a retry from a new batch. A sequence counts a
// producer's records in one partition and has 31 bits; the epoch counts how often it started over at 0.
struct ProducerStamp {
  int64_t id = -1;  // -1: the batch has no producer id
  int16_t epoch = -1;
  int32_t sequence = -1;  // of the first record; each record's offset delta adds to it

  // The stamp of `id`'s record number `count` in a partition, from 0, and back. Both fields are used as one number, so
  // that more records than a sequence can count stay told apart. Kafka lets a new epoch begin at sequence 0, too.
  static ProducerStamp of(int64_t id, int64_t count) {
    return {id, static_cast<int16_t>(count >> 31), static_cast<int32_t>(count & INT32_MAX)};
  }
  int64_t count() const { return int64_t{epoch} << 31 | sequence; }
  static constexpr int64_t kCountMax = (int64_t{1} << 46) - 1;

  bool operator==(const ProducerStamp&) const = default;
};

struct BatchHeader {
  Offset base_offset;
  int32_t batch_length = 0;
  LeaderEpoch leader_epoch;
  int8_t magic = 0;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  ProducerStamp producer;
  int32_t record_count = 0;

  size_t size_bytes() const { return kBatchPrefixBytes + static_cast<size_t>(batch_length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset end_offset() const { return base_offset + last_offset_delta + 1; }
  int codec() const { return attributes & 7; }
  TimestampType timestamp_type() const { return static_cast<TimestampType>(attributes >> 3 & 1); }
  bool is_transactional() const { return attributes >> 4 & 1; }
  bool is_control() const { return attributes >> 5 & 1; }
  // Whether a later marker decides if its records count. Kafka takes a transactional batch without a producer for
  // committed. A batch whose records compaction has all removed is not undecided either.
  bool is_undecided() const { return (attributes >> 4 & 3) == 1 && producer.id >= 0 && record_count > 0; }
  // Compaction has seen its tombstones, which may go after the time that stands in place of the base timestamp.
  bool has_delete_horizon() const { return attributes >> 6 & 1; }
};

// The fields as they stand. `bytes` holds at least kBatchHeaderBytes.
BatchHeader read_batch_header(ByteView bytes);

// Writes `header` over the first bytes of `batch`, which is one whole batch, with its true length and CRC.
void write_batch_header(MutableBytes batch, const BatchHeader& header);

// Why `header` cannot be a batch, whatever its CRC says; nullptr if it can. Its size is then safe to read.
const char* batch_header_fault(const BatchHeader& header);

// Whether the stored CRC fits. `batch` is one whole batch.
bool batch_crc_matches(ByteView batch);

// What the log stamps at append. LogAppendTime changes 40 header bytes inside the CRC, which is combined, not computed
// again over the records.
void stamp_batch(MutableBytes batch, Offset base_offset, LeaderEpoch epoch);
void stamp_log_append_time(MutableBytes batch, int64_t timestamp_ms);

// A batch without records that stands for the offsets from `first` to below `end`, at most 2^31 of them: what keeps a
// log free of gaps where records were lost or compacted away. Readers of Kafka's format pass over it.
std::array<std::byte, kBatchHeaderBytes> filler_batch(Offset first, Offset end, LeaderEpoch epoch);

// Walks the records of one batch whose CRC was checked. A record that does not fit its batch is `corrupt`.
class RecordCursor {
 public:
  // `batch` is one whole batch and `header` its header. The records lie in `batch` itself or, where that is compressed,
  // in the memory of `decompressor`: they are valid as long as the bytes of the batch, and until that is used again.
  // Errors: those of Decompressor.
  static Result<RecordCursor> begin(ByteView batch, const BatchHeader& header, Decompressor& decompressor);

  // False after the last record.
  Result<bool> next(RecordView& record);

 private:
  RecordCursor(ByteView records, const BatchHeader& header)
      : header_(header), at_(records.data()), end_(records.data() + records.size()) {}
  const char* parse(RecordView& record);

  BatchHeader header_;
  const std::byte* at_;
  const std::byte* end_;
  int32_t read_ = 0;
  int32_t last_delta_ = -1;
};

// Gathers records into one batch. Reused for the next batch without giving its memory back.
class BatchBuilder {
 public:
  // Adds `record`, unless the batch would then be larger than `batch_bytes_max`: false, and nothing has changed.
  bool add(const Record& record, int64_t timestamp_ms, size_t batch_bytes_max);

  bool empty() const { return record_count_ == 0; }
  int32_t record_count() const { return record_count_; }
  size_t size_bytes() const { return used_; }

  // The batch, with its header and CRC: base offset 0, leader epoch -1, for the log to stamp. With a `compressor` it is
  // compressed, unless that would not make it smaller; so it is never larger than size_bytes(). The bytes stay valid
  // until clear() or add(), and until the compressor is used again.
  MutableBytes finish(Compressor* compressor = nullptr, const ProducerStamp& producer = {});
  void clear();

 private:
  void make_room(size_t used, size_t more);

  // Grown by hand and never zeroed beyond need: touching fresh memory is the dearest part of a short run.
  std::unique_ptr<std::byte[]> buffer_;
  size_t capacity_ = 0;
  size_t used_ = 0;
  int32_t record_count_ = 0;
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
};

}  // namespace pg
