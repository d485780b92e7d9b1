// Which partition a record goes to. The hashes are those of the existing clients, so that one key has one home whoever
// writes it.
#pragma once

#include <pilgrimage/producer.h>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/types.h"
#include "core/os/clock.h"

namespace pg {

using pilgrimage::parse_partitioner;
using pilgrimage::PartitionerKind;

// Kafka's murmur2 (org.apache.kafka.common.utils.Utils), seed 0x9747b28c.
uint32_t murmur2(std::string_view key);
// CRC-32 as in zlib, gzip and librdkafka.
uint32_t crc32(std::string_view key);

class Partitioner {
 public:
  Partitioner(PartitionerKind kind, int32_t partitions, Random& random);

  // nullopt key: no key. An empty key is a key (but see crc32).
  PartitionId choose(const std::optional<std::string_view>& key) {
    return partitions_ == 1 ? PartitionId(0) : choose_among_many(key);
  }

  // Whether choose() depends on nothing but the key.
  bool follows_from(const std::optional<std::string_view>& key) const {
    return key && (kind_ == PartitionerKind::murmur2 || (kind_ == PartitionerKind::crc32 && !key->empty()));
  }

  // A batch for `partition` was sent: the sticky choice moves on.
  void batch_sent(PartitionId partition);

 private:
  PartitionId choose_among_many(const std::optional<std::string_view>& key);
  PartitionId any();

  PartitionerKind kind_;
  int32_t partitions_;
  Random& random_;
  PartitionId current_;
};

}  // namespace pg
