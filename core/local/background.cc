#include "core/local/background.h"

#include <system_error>
#include <utility>

#include "core/os/signals.h"

namespace pg {

Background::~Background() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Background::begin(Work work) {
  if (!has_thread()) {
    outcome_ = work();
    return;
  }
  {
    const std::lock_guard guard(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

Result<> Background::wait() {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return !work_; });
  return std::exchange(outcome_, Result<>());
}

bool Background::has_thread() {
  if (thread_.joinable()) return true;
  const NoJobStop no_job_stop;  // it inherits the mask: a terminal's stop must find a thread that holds no lock
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Background::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return work_ || ending_; });
    if (!work_) return;
    guard.unlock();
    Result<> outcome = work_();
    guard.lock();
    outcome_ = std::move(outcome);
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace pg
