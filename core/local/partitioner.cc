#include "core/local/partitioner.h"

#include <boost/crc.hpp>
#include <cstring>

namespace pilgrimage {

std::optional<PartitionerKind> parse_partitioner(std::string_view name) {
  if (name == "murmur2") return PartitionerKind::murmur2;
  if (name == "crc32") return PartitionerKind::crc32;
  if (name == "round-robin") return PartitionerKind::round_robin;
  if (name == "random") return PartitionerKind::random;
  if (name == "sticky") return PartitionerKind::sticky;
  return {};
}

}  // namespace pilgrimage

namespace pg {

uint32_t murmur2(std::string_view key) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr unsigned kShift = 24;
  uint32_t h = 0x9747b28c ^ static_cast<uint32_t>(key.size());
  size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    uint32_t k = 0;
    for (size_t i = 4; i-- > 0;) k = k << 8 | static_cast<uint8_t>(key[at + i]);  // little-endian
    k *= kMultiplier;
    k ^= k >> kShift;
    h = h * kMultiplier ^ k * kMultiplier;
  }
  if (at < key.size()) {
    for (size_t i = key.size(); i-- > at;) h ^= static_cast<uint32_t>(static_cast<uint8_t>(key[i])) << (8 * (i - at));
    h *= kMultiplier;
  }
  h ^= h >> 13;
  h *= kMultiplier;
  return h ^ h >> 15;
}

uint32_t crc32(std::string_view key) {
  boost::crc_32_type crc;
  crc.process_bytes(key.data(), key.size());
  return crc.checksum();
}

Partitioner::Partitioner(PartitionerKind kind, int32_t partitions, Random& random)
    : kind_(kind), partitions_(partitions), random_(random) {
  if (partitions_ > 1 && kind_ != PartitionerKind::round_robin) current_ = any();
}

PartitionId Partitioner::choose_among_many(const std::optional<std::string_view>& key) {
  const auto count = static_cast<uint32_t>(partitions_);
  switch (kind_) {
    case PartitionerKind::murmur2:
      // The sign bit is cleared and not the absolute value taken: Java's toPositive.
      return key ? PartitionId(static_cast<int32_t>((murmur2(*key) & 0x7fffffff) % count)) : current_;
    case PartitionerKind::crc32:
      return key && !key->empty() ? PartitionId(static_cast<int32_t>(crc32(*key) % count)) : any();
    case PartitionerKind::round_robin: {
      const PartitionId chosen = current_;
      current_ = PartitionId((current_.value + 1) % partitions_);
      return chosen;
    }
    case PartitionerKind::random:
      return any();
    case PartitionerKind::sticky:
      return current_;
  }
  return current_;
}

void Partitioner::batch_sent(PartitionId partition) {
  if (partitions_ == 1 || kind_ == PartitionerKind::round_robin || partition != current_) return;
  const PartitionId next = any();
  current_ = next != current_ ? next : PartitionId((current_.value + 1) % partitions_);
}

PartitionId Partitioner::any() {
  return PartitionId(static_cast<int32_t>(random_.next() % static_cast<uint64_t>(partitions_)));
}

}  // namespace pg
