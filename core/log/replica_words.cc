#include "core/log/replica_words.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace pg {
namespace {

// What the slot says for `epoch`.
std::optional<InSyncEnds> read_slot(const StatePage::ReplicaSlot& slot, LeaderEpoch epoch) {
  if (slot.epoch.load() != epoch.value) return std::nullopt;
  return InSyncEnds{epoch, Offset(slot.log_end.load()), Offset(slot.flushed.load())};
}

// The replicas in sync, as two words say it. Comparing them tells whether both are unchanged.
struct InSyncWords {
  uint64_t in_sync, confirmed;
  bool operator==(const InSyncWords&) const = default;
};
InSyncWords read_in_sync(const StatePage& page) { return {page.in_sync.load(), page.confirmed.load()}; }

// An older version that opens an epoch does not set `confirmed`. Then all replicas in sync count, as they did there.
InSync confirmed_of(const InSyncWords& words) {
  InSync confirmed = InSync::unpack(words.in_sync);
  const InSync named = InSync::unpack(words.confirmed);
  if (words.confirmed != 0 && named.epoch == confirmed.epoch) confirmed.mask &= named.mask;
  return confirmed;
}

// `committed`: the low 16 bits of the epoch, a bit that says that it was written, and the low 47 bits of the offset.
// The offset's high bits come from `high_watermark`, which is always near.
constexpr int kOffsetBits = 47;
constexpr uint64_t kWritten = uint64_t{1} << kOffsetBits;

uint64_t tag_of(LeaderEpoch epoch) { return uint64_t{static_cast<uint16_t>(epoch.value)} << 48 | kWritten; }
bool has_tag(uint64_t word, LeaderEpoch epoch) { return word >> kOffsetBits == tag_of(epoch) >> kOffsetBits; }
uint64_t pack_committed(LeaderEpoch epoch, Offset offset) {
  return tag_of(epoch) | (static_cast<uint64_t>(offset.value) & (kWritten - 1));
}

Offset unpack_committed(uint64_t word, Offset near) {
  constexpr int kUnused = 64 - kOffsetBits;
  const uint64_t difference = (word - static_cast<uint64_t>(near.value)) << kUnused;
  return near + (static_cast<int64_t>(difference) >> kUnused);
}

void keep_committed(StatePage& page, LeaderEpoch epoch, Offset end) {
  const Offset near(page.high_watermark.load());
  uint64_t word = page.committed.load();
  // An older version has opened the epoch, and its processes read `high_watermark`.
  if (word == 0) return raise(page.high_watermark, end.value);
  while (has_tag(word, epoch) && unpack_committed(word, near) < end &&
         !page.committed.compare_exchange_weak(word, pack_committed(epoch, end))) {
  }
}

bool change_word(StatePage::Word& word, const InSync& seen, uint16_t mask) {
  uint64_t before = seen.pack();
  const InSync changed{seen.epoch, static_cast<uint16_t>(seen.version + 1), mask};
  return word.compare_exchange_strong(before, changed.pack());
}

}  // namespace

InSync InSync::unpack(uint64_t word) {
  return {LeaderEpoch(static_cast<int32_t>(word >> 32)), static_cast<uint16_t>(word >> 16),
          static_cast<uint16_t>(word)};
}

uint64_t InSync::pack() const {
  return uint64_t{static_cast<uint32_t>(epoch.value)} << 32 | uint64_t{version} << 16 | mask;
}

InSync confirmed_in_sync(const StatePage& page) { return confirmed_of(read_in_sync(page)); }

bool has_too_few(const StatePage& page, const InSync& confirmed) {
  return std::cmp_less(std::popcount(confirmed.mask), page.min_in_sync.load());
}

std::optional<InSyncEnds> in_sync_ends(const StatePage& page) {
  for (;;) {
    const InSyncWords words = read_in_sync(page);
    const InSync in_sync = InSync::unpack(words.in_sync);
    const bool leads =
        page.role.load() == static_cast<uint32_t>(Role::leader) && page.leader_epoch.load() == in_sync.epoch.value;
    if (!leads || has_too_few(page, confirmed_of(words))) return std::nullopt;
    const size_t own = page.own_slot.load();
    std::optional<InSyncEnds> ends =
        InSyncEnds{in_sync.epoch, read_position(page).log_end, Offset(page.flushed.load())};
    for (size_t i = 0; i < StatePage::kSlots && ends; ++i) {
      if (!in_sync.has(i) || i == own) continue;
      const auto follower = read_slot(page.slots[i], in_sync.epoch);
      if (follower)
        ends = InSyncEnds{in_sync.epoch, std::min(ends->log_end, follower->log_end),
                          std::min(ends->flushed, follower->flushed)};
      else
        ends.reset();
    }
    if (read_in_sync(page) == words) return ends;
  }
}

Offset known_high_watermark(const StatePage& page) {
  const Offset kept(page.high_watermark.load());
  const uint64_t word = page.committed.load();
  const bool counts =
      page.role.load() == static_cast<uint32_t>(Role::leader) && has_tag(word, LeaderEpoch(page.leader_epoch.load()));
  return counts ? std::max(kept, unpack_committed(word, kept)) : kept;
}

Offset committed_end(StatePage& page, bool may_write) {
  const Offset before = known_high_watermark(page);
  const auto ends = in_sync_ends(page);
  if (!ends || ends->log_end <= before) return before;
  if (may_write) keep_committed(page, ends->epoch, ends->log_end);
  return ends->log_end;
}

Reached has_reached(StatePage& page, LeaderEpoch epoch, Offset end, bool flushed, bool may_write) {
  Offset reached;
  if (!flushed) {
    reached = committed_end(page, may_write);
  } else if (const auto ends = in_sync_ends(page)) {
    reached = ends->flushed;
  }
  // Read after the high watermark: a process that fences has not counted on records that it did not see.
  const bool leads = page.role.load() == static_cast<uint32_t>(Role::leader) && page.leader_epoch.load() == epoch.value;
  if (!leads || page.fenced.load() > epoch.value) return Reached::unknown;
  return reached >= end ? Reached::yes : Reached::no;
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

void end_leading(StatePage& page) { raise(page.high_watermark, known_high_watermark(page).value); }

void open_slots(StatePage& page, const std::vector<BrokerId>& replicas, BrokerId leader,
                const std::vector<BrokerId>& in_sync, LeaderEpoch epoch) {
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
  word.version = 1;  // so that the word is not zero, whatever the rest is
  page.confirmed.store(word.pack());
  page.committed.store(pack_committed(epoch, Offset(page.high_watermark.load())));
}

bool change_in_sync(StatePage& page, const InSync& seen, uint16_t mask) {
  return change_word(page.in_sync, seen, mask);
}

bool change_confirmed(StatePage& page, const InSync& seen, uint16_t mask) {
  return change_word(page.confirmed, seen, mask);
}

}  // namespace pg
