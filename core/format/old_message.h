// Kafka's message formats 0 and 1, which were written before Kafka 0.11. They are not read, only recognised, so that
// they do not count as damage.
//
//   offset int64, size int32 (of what follows), crc uint32 (CRC-32 of what follows), magic int8 = 0 or 1, and the rest
//
// Source: Apache Kafka, LegacyRecord.java.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/bytes.h"

namespace pg {

inline constexpr size_t kOldMessageBytesMin = 26;

// The size of the message that may begin with these kOldMessageBytesMin bytes; 0: none does.
size_t old_message_size(ByteView bytes);

// The format of one whole message; empty if its CRC does not fit.
std::optional<int> old_message_format(ByteView message);

}  // namespace pg
