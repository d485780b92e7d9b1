#include "core/log/replica_words.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace pg {
namespace {

// What the slot says for `epoch`.
std::optional<InSyncEnds> read_slot(const StatePage::ReplicaSlot& slot, LeaderEpoch epoch) {
  if (slot.epoch.load() != epoch.value) return std::nullopt;
  return InSyncEnds{Offset(slot.log_end.load()), Offset(slot.flushed.load())};
}

}  // namespace

InSync InSync::unpack(uint64_t word) {
  return {LeaderEpoch(static_cast<int32_t>(word >> 32)), static_cast<uint16_t>(word >> 16), static_cast<uint16_t>(word)};
}

uint64_t InSync::pack() const {
  return uint64_t{static_cast<uint32_t>(epoch.value)} << 32 | uint64_t{version} << 16 | mask;
}

bool has_too_few(const StatePage& page, const InSync& in_sync) {
  return std::cmp_less(std::popcount(in_sync.mask), page.min_in_sync.load());
}

std::optional<InSyncEnds> in_sync_ends(const StatePage& page) {
  for (;;) {
    const uint64_t word = page.in_sync.load();
    const InSync in_sync = InSync::unpack(word);
    const bool leads = page.role.load() == static_cast<uint32_t>(Role::leader) && page.leader_epoch.load() == in_sync.epoch.value;
    if (!leads || has_too_few(page, in_sync)) return std::nullopt;
    const size_t own = page.own_slot.load();
    std::optional<InSyncEnds> ends = InSyncEnds{read_position(page).log_end, Offset(page.flushed.load())};
    for (size_t i = 0; i < StatePage::kSlots && ends; ++i) {
      if (!in_sync.has(i) || i == own) continue;
      const auto follower = read_slot(page.slots[i], in_sync.epoch);
      if (follower) ends = InSyncEnds{std::min(ends->log_end, follower->log_end), std::min(ends->flushed, follower->flushed)};
      else ends.reset();
    }
    if (page.in_sync.load() == word) return ends;
  }
}

Offset committed_end(StatePage& page, bool may_write) {
  const Offset before(page.high_watermark.load());
  const auto ends = in_sync_ends(page);
  if (!ends || ends->log_end <= before) return before;
  if (may_write) raise(page.high_watermark, ends->log_end.value);
  return ends->log_end;
}

std::optional<size_t> slot_of(const StatePage& page, BrokerId replica) {
  for (size_t i = 0; i < StatePage::kSlots; ++i) {
    if (page.slots[i].broker.load() == replica.value) return i;
  }
  return std::nullopt;
}

void begin_slot(StatePage& page, size_t slot, LeaderEpoch epoch, Offset log_end, Offset flushed) {
  clear_slot(page, slot);
  report_to_slot(page, slot, log_end, flushed);
  page.slots[slot].epoch.store(epoch.value);
}

void report_to_slot(StatePage& page, size_t slot, Offset log_end, Offset flushed) {
  page.slots[slot].flushed.store(flushed.value);
  page.slots[slot].log_end.store(log_end.value);
}

void clear_slot(StatePage& page, size_t slot) { page.slots[slot].epoch.store(-1); }

void open_slots(StatePage& page, const std::vector<BrokerId>& replicas, BrokerId leader, const std::vector<BrokerId>& in_sync,
                LeaderEpoch epoch) {
  InSync word{epoch, 0, 0};
  for (size_t i = 0; i < StatePage::kSlots; ++i) {
    const bool used = i < replicas.size();
    clear_slot(page, i);
    page.slots[i].broker.store(used ? replicas[i].value : -1);
    if (!used) continue;
    if (replicas[i] == leader) page.own_slot.store(static_cast<uint32_t>(i));
    const bool in = std::find(in_sync.begin(), in_sync.end(), replicas[i]) != in_sync.end();
    if (in) word.mask = static_cast<uint16_t>(word.mask | 1u << i);
  }
  page.in_sync.store(word.pack());
}

bool change_in_sync(StatePage& page, const InSync& seen, uint16_t mask) {
  uint64_t word = seen.pack();
  const InSync changed{seen.epoch, static_cast<uint16_t>(seen.version + 1), mask};
  return page.in_sync.compare_exchange_strong(word, changed.pack());
}

}  // namespace pg
