// A consumed record made of given parts, as if it had been read from a log.
#pragma once

#include <vector>

#include "core/local/consumer.h"

namespace pg {

class FuzzRecord {
 public:
  explicit FuzzRecord(const Record& record) {
    BatchBuilder builder;
    PG_ASSERT(builder.add(record, record.timestamp_ms.value_or(0), 1 << 30));
    const auto batch = builder.finish();
    bytes_.assign(batch.begin(), batch.end());
    auto cursor = RecordCursor::begin(bytes_, read_batch_header(bytes_), decompressor_);
    PG_ASSERT(cursor && cursor->next(record_));
    record_.source = &source_;
  }
  const ConsumedRecord& view() const { return record_; }

 private:
  std::vector<std::byte> bytes_;
  Decompressor decompressor_;
  TopicPartition source_{"topic", PartitionId(7)};
  ConsumedRecord record_;
};

}  // namespace pg
