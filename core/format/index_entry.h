// Entries of Kafka's .index and .timeindex files, big-endian. Both files are hints: they are believed only as far as
// the log confirms them, and rebuilt where they do not fit. Source: Apache Kafka, OffsetIndex.java and TimeIndex.java.
#pragma once

#include "core/base/bytes.h"
#include "core/base/types.h"

namespace pg {

// .index: the batch that ends with offset `base + relative_offset` starts at byte `position` of the .log.
struct OffsetIndexEntry {
  static constexpr size_t kBytes = 8;
  int32_t relative_offset = 0;
  int32_t position = 0;

  static OffsetIndexEntry read(const std::byte* p) {
    return {load_big_endian<int32_t>(p), load_big_endian<int32_t>(p + 4)};
  }
  void write(std::byte* p) const {
    store_big_endian(p, relative_offset);
    store_big_endian(p + 4, position);
  }
};

// .timeindex: up to the batch that ends with offset `base + relative_offset`, no record is later than `timestamp_ms`.
struct TimeIndexEntry {
  static constexpr size_t kBytes = 12;
  int64_t timestamp_ms = 0;
  int32_t relative_offset = 0;

  static TimeIndexEntry read(const std::byte* p) {
    return {load_big_endian<int64_t>(p), load_big_endian<int32_t>(p + 8)};
  }
  void write(std::byte* p) const {
    store_big_endian(p, timestamp_ms);
    store_big_endian(p + 8, relative_offset);
  }
};

}  // namespace pg
