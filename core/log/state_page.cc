#include "core/log/state_page.h"

#include <array>
#include <bit>

namespace pg {
namespace {

constexpr size_t kFields = sizeof(LogPosition) / sizeof(uint64_t);
using Fields = std::array<uint64_t, kFields>;
static_assert(sizeof(Fields) == sizeof(LogPosition));

}  // namespace

void publish(StatePage& page, const LogPosition& position) {
  const uint64_t next = page.sequence.load(std::memory_order_relaxed) + 1;
  // A reader that sees any field of the new copy must also see that `sequence` has left the one before.
  std::atomic_thread_fence(std::memory_order_release);
  const auto fields = std::bit_cast<Fields>(position);
  StatePage::Copy& idle = page.copies[next & 1];
  for (size_t i = 0; i < kFields; ++i) idle.field[i].store(fields[i], std::memory_order_relaxed);
  page.sequence.store(next, std::memory_order_release);
}

LogPosition read_position(const StatePage& page) {
  for (;;) {
    const uint64_t sequence = page.sequence.load(std::memory_order_acquire);
    const StatePage::Copy& live = page.copies[sequence & 1];
    Fields fields;
    for (size_t i = 0; i < kFields; ++i) fields[i] = live.field[i].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (page.sequence.load(std::memory_order_relaxed) == sequence) return std::bit_cast<LogPosition>(fields);
  }
}

}  // namespace pg
