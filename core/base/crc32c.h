// CRC-32C (Castagnoli, RFC 3720), as in Kafka's record batches.
//
// Our own kernel, because the tools are linked statically for a fast start and Debian's isa-l has no static library;
// the unit tests compare it with isa-l byte for byte. SSE 4.2 in three interleaved lanes where the CPU has it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace pg {

// The CRC of `bytes`, continuing from `crc` (0 to begin): crc32c(b, crc32c(a)) == crc32c(a + b).
uint32_t crc32c(ByteView bytes, uint32_t crc = 0);

// The CRC of a + b from crc(a), crc(b) and the length of b. O(log length).
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);

}  // namespace pg
