// Time, randomness and waiting, so that tests can drive them.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "core/base/text.h"
#include "core/base/types.h"

namespace pg {

// A 32-bit word in shared memory and the value it had when the caller last found nothing to do.
struct WakeWord {
  const std::atomic<uint32_t>* word = nullptr;
  uint32_t seen = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_ms() = 0;  // since the epoch; only stamps records
  virtual Deadline now() = 0;     // monotonic; the only clock for time-outs
  // Since the machine started, suspended or not, and the same in every time namespace: only for comparing with
  // wall_ms().
  virtual int64_t boot_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count();
  }
  // Sleeps until one of `words` no longer holds the value seen, a signal arrives, or `at_most` has passed; may return
  // early for no reason. Works across processes that map the same page (futexes). No words: a plain sleep.
  virtual void wait(std::span<const WakeWord> words, Duration at_most) = 0;
  // Wakes everybody who waits for `word`, which the caller has just changed.
  virtual void wake(const std::atomic<uint32_t>& word) = 0;

  Deadline after(Duration d) { return d >= kNoDeadline - now() ? kNoDeadline : now() + d; }
};

// What is left until `deadline`; 0 once it has passed. Deadline::min() has always passed, and must not be subtracted
// from.
inline Duration time_left(Deadline deadline, Deadline now) { return deadline <= now ? Duration(0) : deadline - now; }

// A source of random numbers.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  Uuid uuid();  // version 4, never starting with '-' in its text form, as Kafka's
};

}  // namespace pg
