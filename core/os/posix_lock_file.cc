#include "core/os/posix_lock_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "core/os/clock.h"
#include "core/os/lock_permissions.h"
#include "core/os/posix_open.h"
#include "core/os/signals.h"
#include "core/os/unique_fd.h"
#include "core/os/watched_lock.h"

namespace pg {
namespace {

using namespace std::chrono;

// How often a waiter looks at the deadline and at stop signals.
constexpr auto kWaitSlice = milliseconds(50);

// Interrupts this thread's fcntl(F_OFD_SETLKW) again and again while it lives. A repeating timer, because a single
// signal may arrive just before the call begins to wait and would then be lost. The signal arrives whatever was
// inherited: its handler replaces an ignored one, and this thread unblocks it.
class InterruptTimer {
 public:
  InterruptTimer() {
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, signal_number());
    pthread_sigmask(SIG_UNBLOCK, &ours, &mask_before_);
    static std::once_flag installed;
    std::call_once(installed, [] {
      struct sigaction action;
      std::memset(&action, 0, sizeof action);
      action.sa_handler = [](int) {};
      sigaction(signal_number(), &action, nullptr);
    });
    sigevent event;
    std::memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal_number();
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    armed_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    if (!armed_) return;
    const timespec slice{0, nanoseconds(kWaitSlice).count()};
    const itimerspec every{slice, slice};
    timer_settime(timer_, 0, &every, nullptr);
  }
  ~InterruptTimer() {
    if (armed_) timer_delete(timer_);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  InterruptTimer(const InterruptTimer&) = delete;
  // False: this user may have no more timers and queued signals (RLIMIT_SIGPENDING).
  bool armed() const { return armed_; }

 private:
  static int signal_number() { return SIGRTMAX - 1; }
  sigset_t mask_before_;
  timer_t timer_{};
  bool armed_ = false;
};

class PosixLockFile final : public LockFile {
 public:
  PosixLockFile(std::string path, UniqueFd fd) : LockFile(std::move(path)), fd_(std::move(fd)) {}

  Result<bool> try_lock(uint32_t byte, LockMode mode) override {
    {
      const std::lock_guard guard(mutex_);
      if (held_exclusively_[byte]) return false;
      held_exclusively_[byte] = mode == LockMode::exclusive;
    }
    const auto got = set(F_OFD_SETLK, byte, mode);
    if (!got || !*got) forget(byte);
    return got;
  }

  Result<> lock(uint32_t byte, LockMode mode, Deadline deadline) override {
    PG_CHECK(wait_for_threads(byte, mode, deadline));
    const auto got = wait_for_processes(byte, mode, deadline);
    if (!got) forget(byte);
    return got;
  }

  Result<> downgrade(uint32_t byte) override {
    PG_CHECK(set(F_OFD_SETLK, byte, LockMode::shared));
    forget(byte);
    return {};
  }

  void unlock(uint32_t byte) override {
    struct flock range = range_of(byte, F_UNLCK);
    fcntl(fd_.get(), F_OFD_SETLK, &range);
    forget(byte);
  }

  Result<bool> is_held(uint32_t byte) const override {
    struct flock range = range_of(byte, F_RDLCK);  // only an exclusive lock conflicts with that
    if (fcntl(fd_.get(), F_OFD_GETLK, &range) != 0) return sys_fail("look at a lock", path(), byte);
    return range.l_type != F_UNLCK;
  }

  Result<FileInfo> info() const override {
    struct stat st;
    if (fstat(fd_.get(), &st) != 0) return sys_fail("stat lock file", path());
    return FileInfo{static_cast<uint64_t>(st.st_size), st.st_nlink, st.st_dev, st.st_ino, S_ISDIR(st.st_mode)};
  }

  int descriptor() const override { return fd_.get(); }

 private:
  static struct flock range_of(uint32_t byte, short type) {
    struct flock range;
    std::memset(&range, 0, sizeof range);  // l_pid must be 0 for these locks
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return range;
  }

  // One fcntl. False: somebody holds it (F_OFD_SETLK), or a signal interrupted the wait (F_OFD_SETLKW).
  Result<bool> set(int command, uint32_t byte, LockMode mode) {
    struct flock range = range_of(byte, mode == LockMode::shared ? F_RDLCK : F_WRLCK);
    if (fcntl(fd_.get(), command, &range) == 0) return true;
    if (errno == EAGAIN || errno == EACCES || errno == EINTR) return false;
    return sys_fail("lock", path(), byte);
  }

  Result<> wait_for_threads(uint32_t byte, LockMode mode, Deadline deadline) {
    std::unique_lock guard(mutex_);
    while (held_exclusively_[byte]) {
      PG_CHECK(still_waiting(deadline, byte));
      released_.wait_until(guard, std::min(deadline, steady_clock::now() + kWaitSlice));
    }
    held_exclusively_[byte] = mode == LockMode::exclusive;
    return {};
  }

  Result<> wait_for_processes(uint32_t byte, LockMode mode, Deadline deadline) {
    PG_ASSIGN(const bool at_once, set(F_OFD_SETLK, byte, mode));
    if (at_once) return {};
    const InterruptTimer timer;
    if (!timer.armed()) return poll_for_processes(byte, mode, deadline);
    for (;;) {
      PG_CHECK(still_waiting(deadline, byte));
      PG_ASSIGN(const bool got, set(F_OFD_SETLKW, byte, mode));
      if (got) return {};
    }
  }

  // Without a timer nothing could end the kernel's wait. The kernel serves the processes in its queue first, so this is
  // only for that case.
  Result<> poll_for_processes(uint32_t byte, LockMode mode, Deadline deadline) {
    for (steady_clock::duration pause = milliseconds(1);;
         pause = std::min<steady_clock::duration>(2 * pause, kWaitSlice)) {
      PG_CHECK(still_waiting(deadline, byte));
      PG_ASSIGN(const bool got, set(F_OFD_SETLK, byte, mode));
      if (got) return {};
      std::this_thread::sleep_for(std::min<steady_clock::duration>(pause, time_left(deadline, steady_clock::now())));
    }
  }

  Result<> still_waiting(Deadline deadline, uint32_t byte) const {
    if (stop_is_overdue()) return fail(Errc::interrupted, "interrupted while waiting for a lock", path(), byte);
    if (steady_clock::now() >= deadline) return fail(Errc::timed_out, "timed out waiting for a lock", path(), byte);
    return {};
  }

  void forget(uint32_t byte) {
    {
      const std::lock_guard guard(mutex_);
      held_exclusively_[byte] = false;
    }
    released_.notify_all();
  }

  UniqueFd fd_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::map<uint32_t, bool> held_exclusively_;  // by a thread of this process, through this LockFile
};

}  // namespace

Result<std::unique_ptr<LockFile>> open_posix_lock(const std::string& path, Access access) {
  const int flags = (access == Access::read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  UniqueFd fd(retry_eintr([&] { return ::open(path.c_str(), flags); }));
  if (fd.get() < 0 && errno == ENOENT && access == Access::read_write) {
    fd = UniqueFd(retry_eintr([&] { return ::open(path.c_str(), flags | O_CREAT, mode_of_new_lock(path)); }));
  }
  if (fd.get() < 0 && errno == EACCES && access == Access::read_only) return watch_lock(path);
  if (fd.get() < 0) return cannot_open("open lock file", path);
  // A directory can be opened only for reading, and then shows no lock: that is no error.
  if (const auto checked = check_is_file(fd.get(), path); !checked && !is_directory(fd.get()))
    return tl::unexpected(checked.error());
  if (access == Access::read_write) keep_readers_out(fd.get());
  return std::make_unique<PosixLockFile>(path, std::move(fd));
}

}  // namespace pg
