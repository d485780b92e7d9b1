// Random numbers that a seed repeats (SplitMix64). main.cc prints the seed of a run; PG_SEED=N repeats it.
#pragma once

#include <cstdlib>
#include <mutex>
#include <random>
#include <string>

#include "core/os/clock.h"

namespace pg {

// This run's seed: $PG_SEED, or a new one each time.
inline uint64_t test_seed() {
  static const uint64_t seed = [] {
    const char* chosen = std::getenv("PG_SEED");
    return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : std::random_device{}();
  }();
  return seed;
}

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed = test_seed()) : state_(seed) {}

  uint64_t next() override {
    const std::lock_guard guard(mutex_);
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  // From 0 to below `end`.
  uint64_t below(uint64_t end) { return next() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  std::string bytes(size_t length) {
    std::string text(length, '\0');
    for (char& c : text) c = static_cast<char>(next());
    return text;
  }

 private:
  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace pg
