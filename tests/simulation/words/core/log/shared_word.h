// In the place of core/log/shared_word.h: an actor of the simulator may be interrupted before each access.
#pragma once

#include <atomic>

#include "tests/simulation/step.h"

namespace pg {

// Actors run in one thread, in an order that all of them see: no access is torn or out of order.
template <class T>
class SharedWord {
 public:
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    sim::step();
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    sim::step();
    value_ = value;
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    sim::step();
    return std::exchange(value_, value);
  }
  T fetch_add(T value, std::memory_order = std::memory_order_seq_cst) {
    sim::step();
    return std::exchange(value_, static_cast<T>(value_ + value));
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order = std::memory_order_seq_cst) {
    sim::step();
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = value;
    return true;
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order order = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, value, order);
  }

 private:
  T value_{};
};

}  // namespace pg
