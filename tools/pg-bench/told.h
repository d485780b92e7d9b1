// What a sender was told of its records, and what a reader: they must agree.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

struct ToldRecord {
  int64_t offset = 0;
  int64_t number = 0;  // the sender's
  bool operator==(const ToldRecord&) const = default;
};

// Of one partition, each list in the order in which it was told. conflict: names the first offset where they differ,
// because a record was lost, moved, or came twice.
Result<> compare_told(const TopicPartition& partition, const std::vector<ToldRecord>& acknowledged,
                      const std::vector<ToldRecord>& read);

}  // namespace pg
