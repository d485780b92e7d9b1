#include "core/format/old_message.h"

#include <boost/crc.hpp>
#include <utility>

#include "core/base/limits.h"

namespace pg {
namespace {

constexpr size_t kSizeAt = 8;
constexpr size_t kCrcAt = 12;
constexpr size_t kMagicAt = 16;

}  // namespace

size_t old_message_size(ByteView bytes) {
  const auto size = load_big_endian<int32_t>(bytes.data() + kSizeAt);
  const auto magic = static_cast<int8_t>(bytes[kMagicAt]);
  const bool fits = (magic == 0 || magic == 1) && load_big_endian<int64_t>(bytes.data()) >= 0 &&
                    size <= kBatchBytesMax && std::cmp_greater_equal(size, kOldMessageBytesMin - kCrcAt);
  return fits ? kCrcAt + static_cast<size_t>(size) : 0;
}

std::optional<int> old_message_format(ByteView message) {
  const ByteView covered = message.subspan(kMagicAt);
  boost::crc_32_type crc;
  crc.process_bytes(covered.data(), covered.size());
  if (crc.checksum() != load_big_endian<uint32_t>(message.data() + kCrcAt)) return {};
  return static_cast<int>(message[kMagicAt]);
}

}  // namespace pg
