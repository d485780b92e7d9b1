// A record batch again, with only some of its records: what compaction puts in its place.
//
// The batch keeps its offsets, leader epoch, producer and sequence, and the records keep their offsets and timestamps.
// A batch without records is a header and nothing else.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/format/record_batch.h"

namespace pg {

class BatchRewriter {
 public:
  // `header` is that of the batch to be written again. With `delete_horizon_ms`, tombstones may go after that time; it
  // takes the place of the base timestamp, as in Kafka.
  void begin(const BatchHeader& header, std::optional<int64_t> delete_horizon_ms = {});
  void keep(const RecordView& record);

  // The batch, in the codec it had; valid until begin().
  ByteView finish();

 private:
  Compressor* compressor(int codec);

  BatchHeader header_;
  int codec_ = 0;
  std::vector<std::byte> bytes_;
  std::array<std::optional<Compressor>, 5> compressors_;  // by codec, made when first needed
};

}  // namespace pg
