#include "core/format/producer_snapshot.h"

#include "core/base/crc32c.h"
#include "core/format/field_writer.h"

namespace pg {
namespace {

constexpr int16_t kVersion = 1;
constexpr size_t kCrcAt = 2;
constexpr size_t kCrcStart = 6;
constexpr size_t kEntriesAt = 10;
constexpr size_t kEntryBytes = 46;

}  // namespace

void note_batch(ProducerEntries& entries, const BatchHeader& batch, const std::optional<ControlRecord>& control) {
  ProducerEntry& entry = entries[batch.producer.id];
  if (batch.is_control()) {
    if (!control || !control->ends_transaction()) return;
    // The producer did not write a marker as a record. A marker of another epoch begins that epoch.
    if (batch.producer.epoch != entry.epoch) {
      entry = {};
      entry.epoch = batch.producer.epoch;
      entry.last_offset = Offset(-1);
    }
    entry.coordinator_epoch = control->coordinator_epoch;
    entry.transaction_first_offset = -1;
    entry.timestamp_ms = batch.max_timestamp_ms;
    return;
  }
  entry.epoch = batch.producer.epoch;
  entry.last_sequence = static_cast<int32_t>((int64_t{batch.producer.sequence} + batch.last_offset_delta) & INT32_MAX);
  entry.last_offset = batch.last_offset();
  entry.offset_delta = batch.last_offset_delta;
  entry.timestamp_ms = batch.max_timestamp_ms;
  if (batch.is_undecided() && !entry.in_transaction()) entry.transaction_first_offset = batch.base_offset.value;
}

std::string write_producer_snapshot(const ProducerEntries& entries) {
  FieldWriter out;
  out.add(kVersion).add<uint32_t>(0).add(static_cast<int32_t>(entries.size()));
  for (const auto& [id, entry] : entries) {
    out.add(id).add(entry.epoch).add(entry.last_sequence).add(entry.last_offset.value).add(entry.offset_delta);
    out.add(entry.timestamp_ms).add(entry.coordinator_epoch).add(entry.transaction_first_offset);
  }
  std::string bytes = out.take();
  store_big_endian(reinterpret_cast<std::byte*>(bytes.data()) + kCrcAt, crc32c(as_bytes(bytes).subspan(kCrcStart)));
  return bytes;
}

Result<ProducerEntries> parse_producer_snapshot(std::string_view bytes) {
  const auto malformed = [](const char* why) {
    return fail(Errc::corrupt, std::string("malformed producer snapshot: ") + why);
  };
  if (bytes.size() < kEntriesAt || (bytes.size() - kEntriesAt) % kEntryBytes != 0) return malformed("its size");
  FieldReader in(bytes);
  if (in.get<int16_t>() != kVersion) return malformed("an unknown version");
  if (in.get<uint32_t>() != crc32c(as_bytes(bytes).subspan(kCrcStart))) return malformed("its CRC does not match");
  if (std::cmp_not_equal(in.get<int32_t>(), (bytes.size() - kEntriesAt) / kEntryBytes))
    return malformed("its number of entries");
  ProducerEntries entries;
  while (!in.at_end()) {
    const auto id = in.get<int64_t>();
    ProducerEntry entry;
    entry.epoch = in.get<int16_t>();
    entry.last_sequence = in.get<int32_t>();
    entry.last_offset = Offset(in.get<int64_t>());
    entry.offset_delta = in.get<int32_t>();
    entry.timestamp_ms = in.get<int64_t>();
    entry.coordinator_epoch = in.get<int32_t>();
    entry.transaction_first_offset = in.get<int64_t>();
    entries[id] = entry;
  }
  return entries;
}

}  // namespace pg
