#include "core/log/batch_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/format/old_message.h"

namespace pg {
namespace {

// Large enough that system calls do not count, small enough to stay in the processor's cache.
constexpr size_t kReadAheadBytes = 128 << 10;

}  // namespace

void BatchScanner::seek(uint64_t position) {
  position_ = position;
  begin_ = end_ = 0;
}

Result<std::optional<ScannedBatch>> BatchScanner::next(uint64_t limit) {
  PG_ASSIGN(auto found, next_header(limit));
  if (!found) return found;
  const size_t size = found->header.size_bytes();
  PG_CHECK(need(size, limit));
  found->bytes = {buffer_.get() + begin_, size};
  if (!batch_crc_matches(found->bytes)) return damage("CRC does not match");
  skip(*found);
  return found;
}

Result<std::optional<ScannedBatch>> BatchScanner::next_header(uint64_t limit) {
  if (position_ >= limit) return std::nullopt;
  if (limit - position_ < kBatchHeaderBytes) return no_batch("batch is cut short", limit);
  PG_CHECK(need(kBatchHeaderBytes, limit));
  ScannedBatch found;
  found.bytes = {buffer_.get() + begin_, kBatchHeaderBytes};
  found.header = read_batch_header(found.bytes);
  found.position = position_;
  if (const char* fault = batch_header_fault(found.header)) return no_batch(fault, limit);
  if (found.header.size_bytes() > limit - position_) return damage("batch is cut short");
  return found;
}

void BatchScanner::skip(const ScannedBatch& batch) {
  const size_t size = batch.header.size_bytes();
  position_ += size;
  begin_ = std::min(end_, begin_ + size);
}

Result<> BatchScanner::need(size_t bytes, uint64_t limit) {
  if (end_ - begin_ >= bytes) return {};
  const size_t have = end_ - begin_;
  if (capacity_ < bytes) {
    const size_t wanted = std::max(kReadAheadBytes, bytes + kReadAheadBytes);
    std::unique_ptr<std::byte[]> larger(new std::byte[wanted]);  // uninitialised
    if (have > 0) std::memcpy(larger.get(), buffer_.get() + begin_, have);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  } else if (have > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, have);
  }
  begin_ = 0;
  end_ = have;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(capacity_ - have, limit - position_ - have));
  PG_ASSIGN(const size_t got, file_->read_at(position_ + have, {buffer_.get() + have, wanted}));
  end_ += got;
  if (end_ < bytes) return damage("the file is shorter than its log");
  return {};
}

tl::unexpected<Error> BatchScanner::damage(const char* why) const {
  return fail(Errc::corrupt, fmt::format("damaged batch: {}", why), file_->path(), static_cast<int64_t>(position_));
}

// The error for bytes that are no batch: they may be a message that a client wrote before Kafka 0.11.
tl::unexpected<Error> BatchScanner::no_batch(const char* why, uint64_t limit) {
  if (limit - position_ < kOldMessageBytesMin || !need(kOldMessageBytesMin, limit)) return damage(why);
  const size_t size = old_message_size({buffer_.get() + begin_, kOldMessageBytesMin});
  if (size == 0 || size > limit - position_ || !need(size, limit)) return damage(why);
  const auto format = old_message_format({buffer_.get() + begin_, size});
  if (!format) return damage(why);
  return fail(Errc::unsupported_version, fmt::format("message format {} is not supported", *format), file_->path(),
              static_cast<int64_t>(position_));
}

Result<std::optional<uint64_t>> find_intact_batch(const File& file, uint64_t from, uint64_t limit, Offset offset_min,
                                                  Offset offset_max) {
  std::vector<std::byte> window(kReadAheadBytes);
  BatchScanner scanner(file);
  for (uint64_t at = from; at + kBatchHeaderBytes <= limit;) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(window.size(), limit - at));
    PG_ASSIGN(const size_t got, file.read_at(at, std::span(window).first(wanted)));
    if (got < kBatchHeaderBytes) break;
    const size_t starts = got - kBatchHeaderBytes + 1;
    for (size_t i = 0; i < starts; ++i) {
      const BatchHeader header = read_batch_header(std::span(window).subspan(i));
      if (batch_header_fault(header) != nullptr || header.base_offset < offset_min || header.base_offset > offset_max) {
        continue;
      }
      scanner.seek(at + i);
      const auto found = scanner.next(limit);
      if (found && *found) return at + i;
      if (!found && found.error().code != Errc::corrupt) return tl::unexpected(found.error());
    }
    at += starts;
  }
  return std::nullopt;
}

}  // namespace pg
