#include "core/store/placement.h"

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/base/result.h"

namespace pg {

std::vector<BrokerId> place_replicas(std::string_view topic, int32_t partition, int32_t replication_factor,
                                     const std::vector<BrokerId>& brokers) {
  const auto count = static_cast<int64_t>(brokers.size());
  PG_ASSERT(replication_factor >= 1 && replication_factor <= count);
  // Topics of one partition should not all lie on one broker.
  const int64_t turn = partition + (count == 1 ? 0 : crc32c(as_bytes(topic)) % count);
  const int64_t first = turn % count, shift = turn / count;
  std::vector<BrokerId> replicas{brokers[static_cast<size_t>(first)]};
  for (int64_t r = 0; r + 1 < replication_factor; ++r) {
    replicas.push_back(brokers[static_cast<size_t>((first + 1 + (shift + r) % (count - 1)) % count)]);
  }
  return replicas;
}

}  // namespace pg
