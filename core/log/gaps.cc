#include "core/log/gaps.h"

#include <array>

namespace pg {

Result<std::optional<Offset>> next_base_offset(const File& log, uint64_t position, uint64_t limit, Offset segment_end) {
  if (position >= limit) return segment_end;
  std::array<std::byte, kBatchHeaderBytes> bytes;
  if (limit - position < bytes.size()) return std::nullopt;
  PG_ASSIGN(const size_t got, log.read_at(position, bytes));
  if (got < bytes.size()) return std::nullopt;
  const BatchHeader header = read_batch_header(bytes);
  if (batch_header_fault(header) != nullptr) return std::nullopt;
  return header.base_offset;
}

Result<bool> is_plausible(const File& log, const ScannedBatch& batch, uint64_t limit, Offset segment_base,
                          Offset segment_end) {
  // Kafka begins a new segment before the offsets of one span more than an index entry can say.
  const BatchHeader& header = batch.header;
  if (header.last_offset() - segment_base > std::numeric_limits<int32_t>::max() || header.end_offset() > segment_end)
    return false;
  PG_ASSIGN(const auto next, next_base_offset(log, batch.position + header.size_bytes(), limit, segment_end));
  return !next || *next >= header.end_offset();
}

}  // namespace pg
