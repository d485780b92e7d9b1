#include "core/log/offset_map.h"

#include <algorithm>
#include <bit>
#include <boost/uuid/detail/md5.hpp>
#include <cstring>

namespace pg {
namespace {

constexpr size_t kFirstSlots = 1024;

// Kafka's load factor is 0.9; with linear probing three quarters keep the chains short.
bool is_full(size_t used, size_t slots) { return used >= slots - slots / 4; }

}  // namespace

OffsetMap::OffsetMap(Random& random, size_t bytes_max)
    : salt_{random.next(), random.next()}, slots_max_(std::bit_floor(std::max<size_t>(bytes_max / sizeof(Slot), 4))) {
  clear();
}

void OffsetMap::clear() {
  slots_.assign(std::min(kFirstSlots, slots_max_), Slot{});
  used_ = 0;
}

bool OffsetMap::put(std::string_view key, Offset offset) {
  const Hash hash = hash_of(key);
  size_t place = place_of(hash);
  if (slots_[place].offset.value < 0) {
    if (is_full(used_, slots_.size())) {
      if (!grow()) return false;
      place = place_of(hash);
    }
    slots_[place].hash = hash;
    ++used_;
  }
  slots_[place].offset = offset;
  return true;
}

std::optional<Offset> OffsetMap::find(std::string_view key) const {
  const Slot& slot = slots_[place_of(hash_of(key))];
  if (slot.offset.value < 0) return {};
  return slot.offset;
}

OffsetMap::Hash OffsetMap::hash_of(std::string_view key) const {
  boost::uuids::detail::md5 md5;
  md5.process_bytes(salt_.data(), sizeof salt_);
  if (!key.empty()) md5.process_bytes(key.data(), key.size());
  boost::uuids::detail::md5::digest_type digest;
  md5.get_digest(digest);
  Hash hash;
  static_assert(sizeof digest == sizeof hash);
  std::memcpy(&hash, &digest, sizeof hash);
  return hash;
}

size_t OffsetMap::place_of(const Hash& hash) const {
  const size_t mask = slots_.size() - 1;
  size_t place = hash[0] & mask;
  while (slots_[place].offset.value >= 0 && slots_[place].hash != hash) place = (place + 1) & mask;
  return place;
}

bool OffsetMap::grow() {
  if (slots_.size() * 2 > slots_max_) return false;
  std::vector<Slot> before(slots_.size() * 2);
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.offset.value >= 0) slots_[place_of(slot.hash)] = slot;
  }
  return true;
}

}  // namespace pg
