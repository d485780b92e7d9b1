#include "core/format/record_batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/crc32c.h"
#include "core/base/limits.h"

namespace pg {
namespace {

// Byte positions in the header; the table is in the header file.
constexpr size_t kBatchLengthAt = 8;
constexpr size_t kLeaderEpochAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;
constexpr size_t kLastOffsetDeltaAt = 23;
constexpr size_t kBaseTimestampAt = 27;
constexpr size_t kMaxTimestampAt = 35;
constexpr size_t kProducerIdAt = 43;
constexpr size_t kProducerEpochAt = 51;
constexpr size_t kBaseSequenceAt = 53;
constexpr size_t kRecordCountAt = 57;
static_assert(kRecordCountAt + 4 == kBatchHeaderBytes);

constexpr int16_t kLogAppendTimeBit = 1 << 3;

[[gnu::always_inline]] inline const std::byte* read_bytes(const std::byte* at, const std::byte* end,
                                                          std::optional<std::string_view>& bytes) {
  int64_t length = 0;
  at = read_varint(at, end, length);
  if (at == nullptr || length < -1 || length > end - at) return nullptr;
  if (length < 0) {
    bytes.reset();
    return at;
  }
  bytes.emplace(reinterpret_cast<const char*>(at), static_cast<size_t>(length));
  return at + length;
}

inline std::byte* write_bytes(std::byte* to, const std::optional<std::string_view>& bytes) {
  if (!bytes) return write_varint(to, -1);
  to = write_varint(to, static_cast<int64_t>(bytes->size()));
  if (!bytes->empty()) std::memcpy(to, bytes->data(), bytes->size());
  return to + bytes->size();
}

inline size_t sized(const std::optional<std::string_view>& bytes) {
  return bytes ? varint_size(static_cast<int64_t>(bytes->size())) + bytes->size() : 1;
}

inline size_t body_size(const Record& record, int64_t timestamp_delta, int32_t offset_delta) {
  size_t size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + sized(record.key) + sized(record.value) +
                varint_size(static_cast<int64_t>(record.headers.size()));
  for (const auto& header : record.headers) size += sized(header.name) + sized(header.value);
  return size;
}

}  // namespace

BatchHeader read_batch_header(ByteView bytes) {
  const std::byte* p = bytes.data();
  BatchHeader h;
  h.base_offset = Offset(load_big_endian<int64_t>(p));
  h.batch_length = load_big_endian<int32_t>(p + kBatchLengthAt);
  h.leader_epoch = LeaderEpoch(load_big_endian<int32_t>(p + kLeaderEpochAt));
  h.magic = static_cast<int8_t>(p[kMagicAt]);
  h.crc = load_big_endian<uint32_t>(p + kCrcAt);
  h.attributes = load_big_endian<int16_t>(p + kAttributesAt);
  h.last_offset_delta = load_big_endian<int32_t>(p + kLastOffsetDeltaAt);
  h.base_timestamp_ms = load_big_endian<int64_t>(p + kBaseTimestampAt);
  h.max_timestamp_ms = load_big_endian<int64_t>(p + kMaxTimestampAt);
  h.producer = {load_big_endian<int64_t>(p + kProducerIdAt), load_big_endian<int16_t>(p + kProducerEpochAt),
                load_big_endian<int32_t>(p + kBaseSequenceAt)};
  h.record_count = load_big_endian<int32_t>(p + kRecordCountAt);
  return h;
}

void write_batch_header(MutableBytes batch, const BatchHeader& h) {
  std::byte* p = batch.data();
  store_big_endian(p, h.base_offset.value);
  store_big_endian(p + kBatchLengthAt, static_cast<int32_t>(batch.size() - kBatchPrefixBytes));
  store_big_endian(p + kLeaderEpochAt, h.leader_epoch.value);
  p[kMagicAt] = static_cast<std::byte>(kBatchMagic);
  store_big_endian(p + kAttributesAt, h.attributes);
  store_big_endian(p + kLastOffsetDeltaAt, h.last_offset_delta);
  store_big_endian(p + kBaseTimestampAt, h.base_timestamp_ms);
  store_big_endian(p + kMaxTimestampAt, h.max_timestamp_ms);
  store_big_endian(p + kProducerIdAt, h.producer.id);
  store_big_endian(p + kProducerEpochAt, h.producer.epoch);
  store_big_endian(p + kBaseSequenceAt, h.producer.sequence);
  store_big_endian(p + kRecordCountAt, h.record_count);
  store_big_endian(p + kCrcAt, crc32c(ByteView(batch).subspan(kBatchCrcStart)));
}

const char* batch_header_fault(const BatchHeader& h) {
  if (h.batch_length < static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes)) return "batch length too small";
  if (h.batch_length > kBatchBytesMax) return "batch length too large";
  if (h.magic != kBatchMagic) return "not a record batch of magic 2";
  if (h.base_offset.value < 0 || h.last_offset_delta < 0) return "negative offset";
  if (h.base_offset.value > kOffsetMax - h.last_offset_delta) return "offset too large";
  if (h.record_count < 0 || h.record_count > int64_t{h.last_offset_delta} + 1)
    return "record count does not fit its offsets";
  return nullptr;
}

bool batch_crc_matches(ByteView batch) {
  return crc32c(batch.subspan(kBatchCrcStart)) == load_big_endian<uint32_t>(batch.data() + kCrcAt);
}

void stamp_batch(MutableBytes batch, Offset base_offset, LeaderEpoch epoch) {
  store_big_endian(batch.data(), base_offset.value);
  store_big_endian(batch.data() + kLeaderEpochAt, epoch.value);
}

void stamp_log_append_time(MutableBytes batch, int64_t timestamp_ms) {
  const ByteView header = batch.subspan(kBatchCrcStart, kBatchHeaderBytes - kBatchCrcStart);
  const uint64_t rest = batch.size() - kBatchHeaderBytes;
  // CRCs are linear: the difference that the header makes, shifted past the records.
  const uint32_t before = crc32c(header);
  store_big_endian(batch.data() + kAttributesAt,
                   static_cast<int16_t>(load_big_endian<int16_t>(batch.data() + kAttributesAt) | kLogAppendTimeBit));
  store_big_endian(batch.data() + kMaxTimestampAt, timestamp_ms);
  const uint32_t difference = before ^ crc32c(header);
  const uint32_t crc = load_big_endian<uint32_t>(batch.data() + kCrcAt) ^ crc32c_combine(difference, 0, rest);
  store_big_endian(batch.data() + kCrcAt, crc);
}

std::array<std::byte, kBatchHeaderBytes> filler_batch(Offset first, Offset end, LeaderEpoch epoch) {
  constexpr int64_t kNone = -1;
  std::array<std::byte, kBatchHeaderBytes> bytes{};
  std::byte* const p = bytes.data();
  store_big_endian(p + kBatchLengthAt, static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes));
  p[kMagicAt] = static_cast<std::byte>(kBatchMagic);
  store_big_endian(p + kLastOffsetDeltaAt, static_cast<int32_t>(end - first - 1));
  store_big_endian(p + kBaseTimestampAt, kNone);
  store_big_endian(p + kMaxTimestampAt, kNone);
  store_big_endian(p + kProducerIdAt, kNone);
  store_big_endian(p + kProducerEpochAt, static_cast<int16_t>(kNone));
  store_big_endian(p + kBaseSequenceAt, static_cast<int32_t>(kNone));
  store_big_endian(p + kCrcAt, crc32c(ByteView(bytes).subspan(kBatchCrcStart)));
  stamp_batch(bytes, first, epoch);
  return bytes;
}

Result<RecordCursor> RecordCursor::begin(ByteView batch, const BatchHeader& header, Decompressor& decompressor) {
  const ByteView stored = batch.subspan(kBatchHeaderBytes);
  // A batch that has lost all its records to compaction keeps its header and nothing behind it, whatever its codec.
  if (header.codec() == static_cast<int>(Codec::none) || (header.record_count == 0 && stored.empty())) {
    return RecordCursor(stored, header);
  }
  auto records = decompressor.decompress(header.codec(), stored);
  if (!records) {
    records.error().what = fmt::format("the batch at offset {} is {}", header.base_offset.value, records.error().what);
    return tl::unexpected(std::move(records).error());
  }
  return RecordCursor(*records, header);
}

Result<bool> RecordCursor::next(RecordView& record) {
  const char* fault = nullptr;
  if (read_ == header_.record_count) {
    if (at_ == end_) return false;
    fault = "bytes after the last record";
  } else {
    fault = parse(record);
  }
  if (fault == nullptr) [[likely]]
    return true;
  return fail(Errc::corrupt,
              fmt::format("record {} of the batch at offset {}: {}", read_, header_.base_offset.value, fault));
}

const char* RecordCursor::parse(RecordView& record) {
  static constexpr const char* kFault = "malformed";
  int64_t length = 0, timestamp_delta = 0, offset_delta = 0, header_count = 0;
  const std::byte* p = read_varint(at_, end_, length);
  if (p == nullptr || length < 1 || length > end_ - p) return "longer than its batch";
  const std::byte* const end = p + length;
  ++p;  // attributes: none are defined
  p = read_varint(p, end, timestamp_delta);
  if (p == nullptr) return kFault;
  p = read_varint(p, end, offset_delta);
  if (p == nullptr || offset_delta <= last_delta_ || offset_delta > header_.last_offset_delta)
    return "offset out of order";
  if ((p = read_bytes(p, end, record.key)) == nullptr) return kFault;
  if ((p = read_bytes(p, end, record.value)) == nullptr) return kFault;
  p = read_varint(p, end, header_count);
  if (p == nullptr || header_count < 0 || header_count > end - p) return kFault;
  record.header_count = static_cast<int32_t>(header_count);
  record.header_bytes = {p, static_cast<size_t>(end - p)};
  for (int64_t i = 0; i < header_count; ++i) {
    std::optional<std::string_view> name, content;
    if ((p = read_bytes(p, end, name)) == nullptr || !name || (p = read_bytes(p, end, content)) == nullptr)
      return kFault;
  }
  if (p != end) return kFault;
  at_ = end;
  ++read_;
  last_delta_ = static_cast<int32_t>(offset_delta);
  record.offset = header_.base_offset + offset_delta;
  record.timestamp_ms = header_.timestamp_type() == TimestampType::log_append
                            ? header_.max_timestamp_ms
                            : static_cast<int64_t>(static_cast<uint64_t>(header_.base_timestamp_ms) +
                                                   static_cast<uint64_t>(timestamp_delta));
  return nullptr;
}

bool BatchBuilder::add(const Record& record, int64_t timestamp_ms, size_t batch_bytes_max) {
  const size_t used = empty() ? kBatchHeaderBytes : used_;
  // Unsigned, so that no pair of timestamps can overflow.
  const auto delta =
      empty() ? 0
              : static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms) - static_cast<uint64_t>(base_timestamp_ms_));
  const size_t body = body_size(record, delta, record_count_);
  if (used + varint_size(static_cast<int64_t>(body)) + body > batch_bytes_max) return false;
  if (used + kVarintBytesMax + body > capacity_) make_room(used, kVarintBytesMax + body);

  std::byte* p = write_varint(buffer_.get() + used, static_cast<int64_t>(body));
  *p++ = std::byte{0};  // attributes
  p = write_varint(p, delta);
  p = write_varint(p, record_count_);
  p = write_bytes(p, record.key);
  p = write_bytes(p, record.value);
  p = write_varint(p, static_cast<int64_t>(record.headers.size()));
  for (const auto& header : record.headers) p = write_bytes(write_bytes(p, header.name), header.value);
  if (empty()) base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  used_ = static_cast<size_t>(p - buffer_.get());
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  ++record_count_;
  return true;
}

MutableBytes BatchBuilder::finish(Compressor* compressor, const ProducerStamp& producer) {
  PG_ASSERT(!empty());
  const MutableBytes plain(buffer_.get(), used_);
  std::optional<MutableBytes> compressed;
  if (compressor != nullptr) compressed = compressor->compress(plain.subspan(kBatchHeaderBytes), kBatchHeaderBytes);
  const MutableBytes batch = compressed.value_or(plain);
  const Codec codec = compressed ? compressor->codec() : Codec::none;

  std::byte* p = batch.data();
  store_big_endian<int64_t>(p, 0);
  store_big_endian(p + kBatchLengthAt, static_cast<int32_t>(batch.size() - kBatchPrefixBytes));
  store_big_endian<int32_t>(p + kLeaderEpochAt, -1);
  p[kMagicAt] = static_cast<std::byte>(kBatchMagic);
  store_big_endian(p + kAttributesAt, static_cast<int16_t>(codec));
  store_big_endian(p + kLastOffsetDeltaAt, record_count_ - 1);
  store_big_endian(p + kBaseTimestampAt, base_timestamp_ms_);
  store_big_endian(p + kMaxTimestampAt, max_timestamp_ms_);
  store_big_endian(p + kProducerIdAt, producer.id);
  store_big_endian(p + kProducerEpochAt, producer.epoch);
  store_big_endian(p + kBaseSequenceAt, producer.sequence);
  store_big_endian(p + kRecordCountAt, record_count_);
  store_big_endian(p + kCrcAt, crc32c(batch.subspan(kBatchCrcStart)));
  return batch;
}

void BatchBuilder::clear() {
  record_count_ = 0;
  used_ = 0;
}

void BatchBuilder::make_room(size_t used, size_t more) {
  constexpr size_t kFirst = 4096;
  const size_t wanted = std::max({kFirst, capacity_ * 2, used + more});
  std::unique_ptr<std::byte[]> larger(new std::byte[wanted]);  // uninitialised
  if (!empty()) std::memcpy(larger.get(), buffer_.get(), used);
  buffer_ = std::move(larger);
  capacity_ = wanted;
}

}  // namespace pg

namespace pilgrimage {

std::vector<Header> RecordView::headers() const {
  std::vector<Header> all;
  const std::byte* at = header_bytes.data();
  const std::byte* const end = at + header_bytes.size();
  for (int32_t i = 0; i < header_count; ++i) {
    std::optional<std::string_view> name, content;
    at = pg::read_bytes(at, end, name);
    at = pg::read_bytes(at, end, content);
    all.push_back({name.value_or(std::string_view()), content});  // checked when the record was parsed
  }
  return all;
}

OwnedRecord::OwnedRecord(const ConsumedRecord& record)
    : source_(*record.source), record_(record), headers_(pg::as_text(record.header_bytes)) {
  if (record.key) key_ = std::string(*record.key);
  if (record.value) value_ = std::string(*record.value);
}

ConsumedRecord OwnedRecord::view() const {
  ConsumedRecord view = record_;
  view.source = &source_;
  view.key = key_;
  view.value = value_;
  view.header_bytes = pg::as_bytes(headers_);
  return view;
}

}  // namespace pilgrimage
