// Where an actor of the simulator may be interrupted: before each access to a shared word, around each call on a log or
// on metadata. Most of these places it passes; the scheduler has drawn how many.
#pragma once

#include <cstdint>
#include <utility>

namespace pg::sim {

extern int64_t steps_left;  // until the actor that runs gives way
void give_way();

inline void step() {
  if (--steps_left < 0) give_way();
}

// For what a real process does in one system call, or while nobody else can see it.
class Uninterrupted {
 public:
  Uninterrupted() : left_(std::exchange(steps_left, INT64_MAX)) {}
  ~Uninterrupted() { steps_left = left_; }

 private:
  int64_t left_;
};

}  // namespace pg::sim
