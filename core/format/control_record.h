// Kafka's control batches: a coordinator writes them into a log, and no consumer gets them.
//
// Attributes bit 5 is set, and the batch has one record. Its key is version int16 = 0, type int16. Types 0 and 1 end a
// transaction: ABORT and COMMIT. Then bit 4 is set too, the producer id and epoch are the transaction's (an epoch that
// is one higher fences the producer), the base sequence is -1, and the value is version int16 = 0, coordinator epoch
// int32. Other types belong to Kafka's own metadata log.
//
// Source: Apache Kafka, clients/.../common/record/ControlRecordType.java and EndTransactionMarker.java.
#pragma once

#include <optional>
#include <vector>

#include "core/format/record_batch.h"

namespace pg {

struct ControlRecord {
  static constexpr int16_t kAbort = 0, kCommit = 1;
  static constexpr int16_t kEmptied = -1;  // Kafka's cleaner has taken its record out
  int16_t type = kAbort;
  int32_t coordinator_epoch = 0;  // of a type that ends a transaction

  bool ends_transaction() const { return type == kAbort || type == kCommit; }
  bool operator==(const ControlRecord&) const = default;
};

// The batch of a marker, base offset 0 and leader epoch -1, for the log to stamp.
std::vector<std::byte> control_batch(int64_t producer_id, int16_t producer_epoch, const ControlRecord& record,
                                     int64_t timestamp_ms);

// What a whole control batch says; its CRC was checked before. corrupt: Kafka writes no such control batch.
Result<ControlRecord> read_control_batch(ByteView batch, const BatchHeader& header);

// Every marker is smaller. A reader of headers checks the CRC of all batches up to this size, so that it does not miss
// a marker whose attributes are damaged.
inline constexpr size_t kControlBatchBytesMax = 128;

}  // namespace pg
