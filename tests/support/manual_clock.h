// A clock that stands still unless a test moves it, or somebody waits: then the wait is over at once and the time it
// would have taken has passed. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/os/clock.h"

namespace pg {

class ManualClock final : public Clock {
 public:
  int64_t wall_ms() override { return wall_ms_; }
  Deadline now() override { return Deadline(Duration(monotonic_ns_)); }

  void wait(std::span<const WakeWord> words, Duration at_most) override {
    for (const auto& word : words) {
      if (word.word->load() != word.seen) return;
    }
    advance(std::max(at_most, Duration(0)));
    std::this_thread::yield();  // whoever is waited for may run in another thread
  }
  void wake(const std::atomic<uint32_t>&) override { ++wakes_; }

  void set_wall_ms(int64_t ms) { wall_ms_ = ms; }
  // Moves the monotonic clock; the wall clock only goes where set_wall_ms puts it.
  void advance(Duration d) { monotonic_ns_ += d.count(); }
  // How often wake() was called.
  int64_t wakes() const { return wakes_; }

 private:
  std::atomic<int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<int64_t> monotonic_ns_{Duration(std::chrono::hours(1)).count()};
  std::atomic<int64_t> wakes_{0};
};

}  // namespace pg
