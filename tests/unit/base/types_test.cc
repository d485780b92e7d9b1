#include "core/base/types.h"

#include <type_traits>

#include "tests/support/printing.h"

using namespace pg;

// What is not the same thing does not mix, and a bare number is none of them.
static_assert(!std::is_convertible_v<int64_t, Offset> && !std::is_convertible_v<Offset, int64_t>);
static_assert(!std::is_convertible_v<LeaderEpoch, BrokerId> && !std::is_convertible_v<PartitionId, LeaderEpoch>);

TEST_CASE("types: offsets order and count") {
  CHECK(Offset(3) + 4 == Offset(7));
  CHECK(Offset(7) - Offset(3) == 4);
  CHECK(Offset(3) < Offset(4));
  CHECK(TopicPartition{"a", PartitionId(2)} < TopicPartition{"a", PartitionId(10)});
  CHECK(TopicPartition{"a", PartitionId(9)} < TopicPartition{"b", PartitionId(0)});
}
