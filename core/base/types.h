// The words everyone shares, as types that cannot be mixed up.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace pg {

// A whole number that means one thing. Swapped arguments do not compile.
template <class Tag, class Rep>
struct Named {
  Rep value = 0;
  constexpr Named() = default;
  constexpr explicit Named(Rep v) : value(v) {}
  constexpr auto operator<=>(const Named&) const = default;
};

// A record's place in its partition, from 0. `last_*` offsets are inclusive, `end_*` and `*_end` are exclusive.
struct Offset : Named<struct OffsetTag, int64_t> {
  using Named::Named;
  friend constexpr Offset operator+(Offset a, int64_t n) { return Offset(a.value + n); }
  friend constexpr int64_t operator-(Offset a, Offset b) { return a.value - b.value; }
};

// Counts the leaders a partition has had; in every batch. Starts at 0, -1 is "none".
struct LeaderEpoch : Named<struct LeaderEpochTag, int32_t> {
  using Named::Named;
};

struct BrokerId : Named<struct BrokerIdTag, int32_t> {
  using Named::Named;
};

// In place of a leader: nobody can lead.
inline constexpr BrokerId kNoBroker{-1};

struct PartitionId : Named<struct PartitionIdTag, int32_t> {
  using Named::Named;
};

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

using Duration = std::chrono::nanoseconds;
// A point on the observer's own monotonic clock. Never stored in a file.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

// What a process may do with a partition's files.
enum class Access { read_only, read_write };

}  // namespace pg
