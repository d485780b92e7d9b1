#include "core/os/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "core/os/clock.h"

namespace pg {
namespace {

constexpr int64_t kStopGraceNs = 500'000'000;
constexpr Duration kStopPatience = std::chrono::seconds(5);

std::atomic<int> g_stop_signal{0};
std::atomic<int> g_stop_signal_count{0};
std::atomic<int64_t> g_stopped_at_ns{0};
int g_mapped_page_exit_status = 1;

int g_stop_pipe[2] = {-1, -1};

int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void on_stop_signal(int signal) {
  const int saved_errno = errno;
  if (g_stop_signal.load(std::memory_order_relaxed) == 0)
    g_stopped_at_ns.store(monotonic_ns(), std::memory_order_relaxed);
  g_stop_signal.store(signal, std::memory_order_release);  // behind the time
  g_stop_signal_count.fetch_add(1, std::memory_order_relaxed);
  [[maybe_unused]] const auto written = write(g_stop_pipe[1], "", 1);
  errno = saved_errno;
}

void on_bus_error(int) {
  static constexpr char kMessage[] =
      "pilgrimage: a mapped file was truncated by another program, or the disk failed: look at 'dmesg', then run "
      "'pg-topic verify'\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(g_mapped_page_exit_status);
}

void install(int signal, void (*handler)(int)) {
  struct sigaction action;
  std::memset(&action, 0, sizeof action);
  action.sa_handler = handler;  // no SA_RESTART: waits are to end
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

// The process that started us may have had it blocked, and we inherit that.
void unblock(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

void catch_stop_signals() {
  if (g_stop_pipe[0] >= 0) return;
  if (pipe2(g_stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;  // then a signal just ends the process
  install(SIGINT, on_stop_signal);
  install(SIGTERM, on_stop_signal);
  unblock(SIGINT);
  unblock(SIGTERM);
}

int stop_signal() { return g_stop_signal.load(std::memory_order_acquire); }

bool stop_is_overdue() {
  return stop_signal() != 0 && monotonic_ns() - g_stopped_at_ns.load(std::memory_order_relaxed) > kStopGraceNs;
}

int stop_descriptor() { return g_stop_pipe[0]; }

int stop_signal_count() { return g_stop_signal_count.load(std::memory_order_relaxed); }

bool StopPatience::is_over(Clock& clock) {
  if (stop_signal() == 0) return false;
  if (!since_) since_ = clock.now();
  return stop_signal_count() > 1 || clock.now() - *since_ > kStopPatience;
}

void await_next_stop_signal() {
  char bytes[64];
  while (g_stop_pipe[0] >= 0 && read(g_stop_pipe[0], bytes, sizeof bytes) > 0) {
  }
}

// The default comes first, so that none can arrive unnoticed.
void release_stop_signals() {
  if (g_stop_pipe[0] < 0) return;
  install(SIGINT, SIG_DFL);
  install(SIGTERM, SIG_DFL);
  if (const int signal = stop_signal(); signal != 0) die_of_signal(signal);
}

void die_of_signal(int signal) {
  install(signal, SIG_DFL);
  unblock(signal);
  raise(signal);
  _exit(128 + signal);
}

void ignore_closed_pipes() { install(SIGPIPE, SIG_IGN); }

void guard_file_signals(int exit_status) {
  g_mapped_page_exit_status = exit_status;
  install(SIGBUS, on_bus_error);
  install(SIGXFSZ, SIG_IGN);
}

NoJobStop::NoJobStop() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTSTP);
  sigaddset(&stops, SIGTTIN);
  sigaddset(&stops, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &stops, &before_);
}

NoJobStop::~NoJobStop() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace pg
