// A clock that stands still unless a test moves it, or somebody waits: then the wait is over at once and the time it
// would have taken has passed. Thread-safe.
//
// meanwhile() lets others act while somebody waits, in one thread: what a cluster's brokers do, for instance.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "core/os/clock.h"

namespace pg {

class ManualClock final : public Clock {
 public:
  int64_t wall_ms() override { return wall_ms_; }
  Deadline now() override { return Deadline(Duration(monotonic_ns_)); }

  void wait(std::span<const WakeWord> words, Duration at_most) override {
    if (has_moved(words)) return;
    if (meanwhile_ && !acting_) {
      acting_ = true;
      meanwhile_();
      acting_ = false;
      if (has_moved(words)) return;
    }
    advance(std::max(at_most, Duration(0)));
    std::this_thread::yield();  // whoever is waited for may run in another thread
  }
  void wake(const std::atomic<uint32_t>&) override { ++wakes_; }

  void set_wall_ms(int64_t ms) { wall_ms_ = ms; }
  // Moves the monotonic clock; the wall clock only goes where set_wall_ms puts it.
  void advance(Duration d) { monotonic_ns_ += d.count(); }
  // `act` is called by whoever waits, but not by what it calls itself. For tests of one thread.
  void meanwhile(std::function<void()> act) { meanwhile_ = std::move(act); }
  // How often wake() was called.
  int64_t wakes() const { return wakes_; }

 private:
  static bool has_moved(std::span<const WakeWord> words) {
    return std::any_of(words.begin(), words.end(), [](const WakeWord& word) { return word.word->load() != word.seen; });
  }

  std::function<void()> meanwhile_;
  bool acting_ = false;
  std::atomic<int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<int64_t> monotonic_ns_{Duration(std::chrono::hours(1)).count()};
  std::atomic<int64_t> wakes_{0};
};

}  // namespace pg
