#include "core/format/control_record.h"

#include "core/base/limits.h"
#include "core/format/field_writer.h"

namespace pg {
namespace {

constexpr int16_t kVersion = 0;
constexpr int16_t kTransactionalControl = 1 << 4 | 1 << 5;

tl::unexpected<Error> malformed(const char* why) {
  return fail(Errc::corrupt, std::string("malformed control batch: ") + why);
}

}  // namespace

std::vector<std::byte> control_batch(int64_t producer_id, int16_t producer_epoch, const ControlRecord& record,
                                     int64_t timestamp_ms) {
  const std::string key = FieldWriter().add(kVersion).add(record.type).take();
  const std::string value = FieldWriter().add(kVersion).add(record.coordinator_epoch).take();
  BatchBuilder builder;
  const bool added = builder.add({.key = key, .value = value}, timestamp_ms, static_cast<size_t>(kBatchBytesMax));
  PG_ASSERT(added);
  const MutableBytes batch = builder.finish(nullptr, {producer_id, producer_epoch, -1});
  BatchHeader header = read_batch_header(batch);
  header.attributes = kTransactionalControl;
  write_batch_header(batch, header);
  return {batch.begin(), batch.end()};
}

Result<ControlRecord> read_control_batch(ByteView batch, const BatchHeader& header) {
  if (header.record_count == 0) return ControlRecord{.type = ControlRecord::kEmptied};
  Decompressor decompressor;
  PG_ASSIGN(auto records, RecordCursor::begin(batch, header, decompressor));
  RecordView record;
  PG_ASSIGN(const bool any, records.next(record));
  if (!any || header.record_count != 1) return malformed("it has more than one record");
  FieldReader key(record.key.value_or(""));
  const auto version = key.get<int16_t>();
  ControlRecord control{.type = key.get<int16_t>()};
  if (key.failed() || version < kVersion) return malformed("its key");
  if (!control.ends_transaction()) return control;
  FieldReader value(record.value.value_or(""));
  const auto value_version = value.get<int16_t>();
  control.coordinator_epoch = value.get<int32_t>();
  if (value.failed() || value_version < kVersion) return malformed("its value");
  return control;
}

}  // namespace pg
