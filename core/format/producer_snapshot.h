// Kafka's <offset>.snapshot: what is known, below that offset, of each producer that has an id. A hint beside the
// segment that begins there: it spares reading the segments before, and outlives them.
//
//   version int16 = 1, CRC-32C uint32 of everything behind it, number of entries int32, and per entry:
//   producer id int64, epoch int16, last sequence int32, last offset int64, offset delta of the last batch int32,
//   its max timestamp int64, coordinator epoch int32 (-1), first offset of an open transaction int64 (-1)
//
// Source: Apache Kafka, storage/.../internals/log/ProducerStateManager.java.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/format/control_record.h"
#include "core/format/record_batch.h"

namespace pg {

// A producer's last batch in a partition.
struct ProducerEntry {
  int16_t epoch = -1;
  int32_t last_sequence = -1;
  Offset last_offset;
  int32_t offset_delta = 0;
  int64_t timestamp_ms = -1;
  int32_t coordinator_epoch = -1;         // of the last marker that ended a transaction
  int64_t transaction_first_offset = -1;  // of the transaction that is open

  bool in_transaction() const { return transaction_first_offset >= 0; }

  // How many records of the producer there were up to this batch.
  int64_t end_count() const { return ProducerStamp{0, epoch, last_sequence}.count() + 1; }
  bool operator==(const ProducerEntry&) const = default;
};

using ProducerEntries = std::map<int64_t, ProducerEntry>;  // by producer id

// Adds a batch that has a producer id. `control`: what the batch says if it is a control batch.
void note_batch(ProducerEntries& entries, const BatchHeader& batch, const std::optional<ControlRecord>& control = {});

std::string write_producer_snapshot(const ProducerEntries& entries);
// corrupt where the CRC, the size or the version does not fit.
Result<ProducerEntries> parse_producer_snapshot(std::string_view bytes);

}  // namespace pg
