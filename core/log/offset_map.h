// The last offset of each key: what compaction goes by. Memory is bounded; keys beyond that are not taken.
//
// A key is known by 128 bits: MD5, as in Kafka, of a random salt and the key. That two different keys of one log share
// them does not happen by chance (with 2^32 keys, once in 2^65 runs), and cannot be brought about by who does not know
// the salt.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/os/clock.h"

namespace pg {

class OffsetMap {
 public:
  OffsetMap(Random& random, size_t bytes_max);

  // False: it is full, and the key is not in it. Offsets of a key come in ascending order.
  bool put(std::string_view key, Offset offset);
  std::optional<Offset> find(std::string_view key) const;
  size_t size() const { return used_; }
  void clear();

 private:
  using Hash = std::array<uint64_t, 2>;
  struct Slot {
    Hash hash;
    Offset offset{-1};  // -1: free
  };

  Hash hash_of(std::string_view key) const;
  // Where the key is, or would be.
  size_t place_of(const Hash& hash) const;
  bool grow();

  std::array<uint64_t, 2> salt_;
  size_t slots_max_;  // a power of two, and so is the number of slots
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace pg
