#include "core/format/batch_rewriter.h"

#include <algorithm>
#include <cstring>

namespace pg {
namespace {

constexpr int16_t kCodecBits = 7;
constexpr int16_t kDeleteHorizonBit = 1 << 6;

size_t sized(const std::optional<std::string_view>& bytes) {
  return bytes ? varint_size(static_cast<int64_t>(bytes->size())) + bytes->size() : 1;
}

std::byte* write_bytes(std::byte* to, const std::optional<std::string_view>& bytes) {
  if (!bytes) return write_varint(to, -1);
  to = write_varint(to, static_cast<int64_t>(bytes->size()));
  return std::copy_n(reinterpret_cast<const std::byte*>(bytes->data()), bytes->size(), to);
}

}  // namespace

void BatchRewriter::begin(const BatchHeader& header, std::optional<int64_t> delete_horizon_ms) {
  header_ = header;
  codec_ = header.codec();
  header_.attributes = static_cast<int16_t>(header.attributes & ~kCodecBits);
  header_.record_count = 0;
  if (delete_horizon_ms) {
    header_.attributes |= kDeleteHorizonBit;
    header_.base_timestamp_ms = *delete_horizon_ms;
  }
  bytes_.resize(kBatchHeaderBytes);
}

void BatchRewriter::keep(const RecordView& record) {
  // Unsigned, so that no pair of timestamps can overflow.
  const auto timestamp_delta = static_cast<int64_t>(static_cast<uint64_t>(record.timestamp_ms) -
                                                    static_cast<uint64_t>(header_.base_timestamp_ms));
  const int64_t offset_delta = record.offset - header_.base_offset;
  const size_t body = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + sized(record.key) +
                      sized(record.value) + varint_size(record.header_count) + record.header_bytes.size();
  const size_t used = bytes_.size();
  bytes_.resize(used + varint_size(static_cast<int64_t>(body)) + body);
  std::byte* p = write_varint(bytes_.data() + used, static_cast<int64_t>(body));
  *p++ = std::byte{0};  // attributes
  p = write_varint(p, timestamp_delta);
  p = write_varint(p, offset_delta);
  p = write_bytes(p, record.key);
  p = write_bytes(p, record.value);
  p = write_varint(p, record.header_count);
  std::copy(record.header_bytes.begin(), record.header_bytes.end(), p);

  if (header_.timestamp_type() == TimestampType::create) {
    header_.max_timestamp_ms =
        header_.record_count == 0 ? record.timestamp_ms : std::max(header_.max_timestamp_ms, record.timestamp_ms);
  }
  ++header_.record_count;
}

ByteView BatchRewriter::finish() {
  MutableBytes batch(bytes_);
  Compressor* const compressor = header_.record_count > 0 ? this->compressor(codec_) : nullptr;
  if (compressor != nullptr) {
    const auto compressed = compressor->compress(batch.subspan(kBatchHeaderBytes), kBatchHeaderBytes);
    if (compressed) {
      batch = *compressed;
      header_.attributes = static_cast<int16_t>(header_.attributes | codec_);
    }
  }
  write_batch_header(batch, header_);
  return batch;
}

Compressor* BatchRewriter::compressor(int codec) {
  if (codec == static_cast<int>(Codec::none)) return nullptr;
  auto& made = compressors_.at(static_cast<size_t>(codec));
  if (!made) made.emplace(static_cast<Codec>(codec));
  return &*made;
}

}  // namespace pg
