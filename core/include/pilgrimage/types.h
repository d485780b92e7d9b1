// The values that every call shares: offsets, ids, times. Each is a type of its own, so that swapped arguments do not
// compile.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace pilgrimage {

// A whole number that means one thing. `Tag` tells the types apart.
template <class Tag, class Rep>
struct Named {
  Rep value = 0;
  constexpr Named() = default;
  constexpr explicit Named(Rep v) : value(v) {}
  constexpr auto operator<=>(const Named&) const = default;
};

// A record's place in its partition, from 0. Names with `last` are inclusive, names with `end` or `to` exclusive.
struct Offset : Named<struct OffsetTag, int64_t> {
  using Named::Named;
  friend constexpr Offset operator+(Offset a, int64_t n) { return Offset(a.value + n); }
  friend constexpr int64_t operator-(Offset a, Offset b) { return a.value - b.value; }
};

// The number of leaders that a partition had before this one, from 0. Every batch has it; -1 is "none".
struct LeaderEpoch : Named<struct LeaderEpochTag, int32_t> {
  using Named::Named;
};

// The number of a broker, from 0.
struct BrokerId : Named<struct BrokerIdTag, int32_t> {
  using Named::Named;
};

// Takes the place of a leader when no broker can lead.
inline constexpr BrokerId kNoBroker{-1};

// The number of a partition in its topic, from 0.
struct PartitionId : Named<struct PartitionIdTag, int32_t> {
  using Named::Named;
};

// One partition of one topic.
struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

// The id of a cluster or topic. A topic that is deleted and created again gets another one.
using Uuid = std::array<uint8_t, 16>;

// A length of time.
using Duration = std::chrono::nanoseconds;
// A point in time on the caller's monotonic clock. It is never stored in a file.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();
// How long a call waits when the caller does not say.
inline constexpr Duration kTimeoutDefault = std::chrono::seconds(30);

}  // namespace pilgrimage
