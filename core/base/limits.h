// Every limit and default that more than one file needs, in one place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/types.h"

namespace pg {

inline constexpr size_t kTopicNameBytesMax = 249;  // Kafka's rule: with "-<partition>" it still fits a file name
inline constexpr int32_t kPartitionsMax = 100'000;

// A batch on disk may be no larger than this, whatever a topic's max.message.bytes says; a length field above it is
// damage. Offsets in a segment and positions in its indexes are 31-bit in Kafka's formats.
inline constexpr int64_t kBatchBytesMax = 1 << 30;
inline constexpr int64_t kSegmentPositionMax = INT32_MAX;

inline constexpr size_t kBatchBytesDefault = 1 << 20;        // pg-produce --batch-bytes
inline constexpr int32_t kMaxMessageBytesDefault = 1048588;  // Kafka's max.message.bytes: 1 MiB of records + 12
inline constexpr Duration kTimeoutDefault = std::chrono::seconds(30);

// With --flush exit, written data reaches stable storage at most this much later while the producer runs.
inline constexpr Duration kBackgroundFlushInterval = std::chrono::seconds(1);

// Who sleeps on a partition looks again after this long, so that a lost waker or a replaced file is noticed.
inline constexpr Duration kSleepPollInterval = std::chrono::milliseconds(100);

}  // namespace pg
