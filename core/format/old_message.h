// Kafka's message formats 0 and 1, in which logs were written before Kafka 0.11: recognised, so that they are told from
// damage, and not read.
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

// The size of the message that would begin with these bytes, of which there are kOldMessageBytesMin; 0 where none does.
size_t old_message_size(ByteView bytes);

// The format of one whole message; empty if its CRC does not fit.
std::optional<int> old_message_format(ByteView message);

}  // namespace pg
