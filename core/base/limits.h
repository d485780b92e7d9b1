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

// No log reaches this offset. A larger one in a file is damage, so no sum with an offset can overflow.
inline constexpr int64_t kOffsetMax = int64_t{1} << 62;
// Damage never costs a log more offsets than this. If a checkpoint says so, the checkpoint is wrong.
inline constexpr int64_t kLostOffsetsMax = int64_t{1} << 40;

// The records of a compressed batch may be no larger than this. All of them are in memory at once, so a few bytes that
// claim to be gigabytes must not take the machine down; and a broker of Kafka's takes 100 MiB in one request, so
// batches that are really in use lie far below.
inline constexpr size_t kDecompressedBytesMax = 256 << 20;

inline constexpr size_t kBatchBytesDefault = 1 << 20;        // pg-produce --batch-bytes
inline constexpr int32_t kMaxMessageBytesDefault = 1048588;  // Kafka's max.message.bytes: 1 MiB of records + 12
// What pg-produce --input-id may hold back while it compares its input with what is there.
inline constexpr size_t kHeldBytesMax = 1 << 30;

// Consumer groups: how long a member may hang before others take it for dead, how often they look, and how many there
// are.
inline constexpr Duration kSessionTimeoutDefault = std::chrono::seconds(10);
inline constexpr Duration kSessionTimeoutMin = std::chrono::seconds(1);
inline constexpr Duration kSessionTimeoutMax = std::chrono::hours(1);
inline constexpr Duration kGroupLookInterval = std::chrono::milliseconds(200);
inline constexpr int32_t kGroupMembersMax = 4096;
// What a member has delivered is committed at most this much later, and before it gives a partition up.
inline constexpr Duration kCommitInterval = std::chrono::seconds(1);

// Brokers in the background: how long after its end one is started again, how long one must have run for that to be
// short again, how large its log may get before it is set aside, and a line of it.
inline constexpr Duration kRestartDelayMin = std::chrono::milliseconds(100);
inline constexpr Duration kRestartDelayMax = std::chrono::seconds(30);
inline constexpr Duration kRestartSettled = std::chrono::seconds(1);
inline constexpr int64_t kBrokerLogBytesMax = 1 << 20;
inline constexpr size_t kBrokerLogLineBytesMax = 8 << 10;
// How often the locks of one that is starting or stopping are looked at.
inline constexpr Duration kBrokerLookInterval = std::chrono::milliseconds(20);

// With --flush exit, written data reaches stable storage at most this much later while the producer runs.
inline constexpr Duration kBackgroundFlushInterval = std::chrono::seconds(1);

// Brokers of one home. Each has a place in cluster.state, and a bit in the mask of each partition that it has.
inline constexpr int32_t kBrokersMax = 64;
inline constexpr int32_t kReplicasMax = 16;
inline constexpr int32_t kReplicationFactorDefault = 3;  // or as many as there are brokers

// Files that a log directory keeps in reserve, each of one block, so that a full disk has room for commands that free
// space. There are several, since a disk may run out of inodes instead of blocks.
inline constexpr int kReserveFiles = 8;
inline constexpr size_t kReserveFileBytes = 4096;

// What compaction may take to remember keys: some four million of them at a time.
inline constexpr size_t kCompactionMapBytes = 128 << 20;

// Schemas, and JSON that is checked against one: what is larger or deeper is refused, so that nothing is walked
// recursively further than a stack holds.
inline constexpr size_t kSchemaBytesMax = 1 << 20;
inline constexpr int kSchemaDepthMax = 100;
inline constexpr size_t kSubjectBytesMax = 512;  // a topic's name with "-value" fits, and Confluent's contexts

// A wall clock that is so much ahead of what it was to show by now is not believed: nothing is deleted by it.
inline constexpr int64_t kClockJumpMaxMs = 24 * 60 * 60 * 1000;

// A process that sleeps on a partition looks again after this long, so that it notices a lost waker or a replaced file.
inline constexpr Duration kSleepPollInterval = std::chrono::milliseconds(100);

}  // namespace pg
