// Work that goes on in another thread while its owner does something else: one thing at a time.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/base/result.h"

namespace pg {

class Background {
 public:
  using Work = std::function<Result<>()>;

  Background() = default;
  ~Background();  // waits for what was begun

  // The work before has been waited for. Where no thread is to be had, it is done here and now, and the outcome is
  // wait()'s.
  void begin(Work work);
  // Waits until that has ended: how, told once. At once, where nothing was begun.
  Result<> wait();

 private:
  bool has_thread();
  void run();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Work work_;  // empty: there is none
  Result<> outcome_;
  bool ending_ = false;
  std::thread thread_;  // the owner's
};

}  // namespace pg
