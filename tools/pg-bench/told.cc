#include "tools/pg-bench/told.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg {

Result<> compare_told(const TopicPartition& partition, const std::vector<ToldRecord>& acknowledged,
                      const std::vector<ToldRecord>& read) {
  if (acknowledged == read) return {};
  const auto [told, seen] = std::ranges::mismatch(acknowledged, read);
  const int64_t offset =
      std::min(told == acknowledged.end() ? INT64_MAX : told->offset, seen == read.end() ? INT64_MAX : seen->offset);
  return fail(Errc::conflict,
              fmt::format("'{}-{}': {} records were acknowledged and {} read; they differ from offset {} on",
                          partition.topic, partition.partition.value, acknowledged.size(), read.size(), offset));
}

}  // namespace pg
