// Runs one piece of work at a time in another thread, while its owner does something else.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/base/result.h"

namespace pg {

// One owner calls it. The thread is started by the first begin().
class Background {
 public:
  using Work = std::function<Result<>()>;

  Background() = default;
  ~Background();  // waits until the work has ended

  // Starts `work`. The caller has called wait() for the piece before. If the system gives no thread, begin() does the
  // work itself, and wait() returns its outcome.
  void begin(Work work);
  // Waits until the work has ended, and returns its outcome; the next call returns success. Returns at once if nothing
  // was begun.
  Result<> wait();

 private:
  bool has_thread();
  void run();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Work work_;  // empty: nothing is to be done
  Result<> outcome_;
  bool ending_ = false;
  std::thread thread_;  // touched by the owner alone
};

}  // namespace pg
