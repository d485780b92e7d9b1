// Records, as they are sent and as they are read.
#pragma once

#include <pilgrimage/types.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pilgrimage {

// Whose clock a record's timestamp is of: the producer's, or that of the log which took the record.
enum class TimestampType : uint8_t { create = 0, log_append = 1 };

// One header of a record. A record may have several of one name.
struct Header {
  std::string_view name;
  std::optional<std::string_view> value;
};

// A record to be sent. Its views are borrowed for the call only.
struct Record {
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};  // empty: a null value, which deletes the key in a compacted topic
  std::vector<Header> headers = {};
  std::optional<int64_t> timestamp_ms = {};  // since the epoch; -1: none; empty: when it is sent
};

// A record inside the buffer of its reader. It is valid as long as that buffer is.
struct RecordView {
  Offset offset;
  int64_t timestamp_ms = 0;  // since the epoch; -1: none
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  int32_t header_count = 0;
  std::span<const std::byte> header_bytes;  // as Kafka's record format encodes them; headers() decodes

  std::vector<Header> headers() const;
};

// A record that a consumer has read, and where it stands.
struct ConsumedRecord : RecordView {
  const TopicPartition* source = nullptr;  // the consumer's
  LeaderEpoch leader_epoch;
  TimestampType timestamp_type = TimestampType::create;
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

}  // namespace pilgrimage
