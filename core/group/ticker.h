// A thread that does something again and again until it is destroyed.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/base/result.h"
#include "core/base/types.h"
#include "core/os/signals.h"

namespace pg {

class Ticker {
 public:
  // Calls `tick` every `interval`, the first time after one. It must not throw. limit: no thread to be had.
  static Result<std::unique_ptr<Ticker>> start(Duration interval, std::function<void()> tick) {
    std::unique_ptr<Ticker> ticker(new Ticker(interval, std::move(tick)));
    const NoJobStop no_job_stop;  // inherited: a terminal's stop is the main thread's, which knows when it holds a lock
    try {
      ticker->thread_ = std::thread([&self = *ticker] { self.run(); });
    } catch (const std::system_error&) {
      return fail(Errc::limit, "cannot start a thread");
    }
    return ticker;
  }

  // Returns when no tick runs any more.
  ~Ticker() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  Ticker(Duration interval, std::function<void()> tick) : interval_(interval), tick_(std::move(tick)) {}

  void run() {
    std::unique_lock guard(mutex_);
    while (!stopped_.wait_for(guard, interval_, [this] { return stopping_; })) {
      guard.unlock();
      tick_();
      guard.lock();
    }
  }

  Duration interval_;
  std::function<void()> tick_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::condition_variable stopped_;
  std::thread thread_;
};

}  // namespace pg
