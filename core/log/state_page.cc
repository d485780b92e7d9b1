#include "core/log/state_page.h"

#include <array>
#include <bit>

namespace pg {
namespace {

constexpr size_t kFields = sizeof(LogPosition) / sizeof(uint64_t);
using Fields = std::array<uint64_t, kFields>;
static_assert(sizeof(Fields) == sizeof(LogPosition));

// Any one field, or the copy's number, that is changed changes this: each is multiplied by an odd number of its own.
uint64_t check_of(uint64_t sequence, const Fields& fields) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t check = (sequence + 1) * kOdd;
  for (size_t i = 0; i < kFields; ++i) check += fields[i] * (kOdd * (2 * i + 3));
  return check;
}

struct Published {
  uint64_t sequence;
  Fields fields;
  uint64_t check;
};

Published read_published(const StatePage& page) {
  for (;;) {
    Published published;
    published.sequence = page.sequence.load(std::memory_order_acquire);
    const StatePage::Copy& live = page.copies[published.sequence & 1];
    for (size_t i = 0; i < kFields; ++i) published.fields[i] = live.field[i].load(std::memory_order_relaxed);
    published.check = live.check.load(std::memory_order_relaxed);
    // Reads the fields before the sequence. On x86, where loads stay in order, no test can show that this fence is
    // needed.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (page.sequence.load(std::memory_order_relaxed) == published.sequence) return published;
  }
}

}  // namespace

void publish(StatePage& page, const LogPosition& position) {
  const uint64_t next = page.sequence.load(std::memory_order_relaxed) + 1;
  // A reader that sees any field of the new copy must also see that `sequence` has left the one before. On x86,
  // where stores stay in order, no test can show that this fence is needed.
  std::atomic_thread_fence(std::memory_order_release);
  const auto fields = std::bit_cast<Fields>(position);
  StatePage::Copy& idle = page.copies[next & 1];
  for (size_t i = 0; i < kFields; ++i) idle.field[i].store(fields[i], std::memory_order_relaxed);
  idle.check.store(check_of(next, fields), std::memory_order_relaxed);
  page.sequence.store(next, std::memory_order_release);
}

LogPosition read_position(const StatePage& page) { return std::bit_cast<LogPosition>(read_published(page).fields); }

bool is_position_whole(const StatePage& page) {
  const Published published = read_published(page);
  return published.check == check_of(published.sequence, published.fields);
}

}  // namespace pg
