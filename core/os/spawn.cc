#include "core/os/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/os/clock.h"
#include "core/os/stream.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr size_t kStackBytes = 64 << 10;
constexpr int kLockDescriptor = 3;

// What the child needs between clone and exec, made beforehand: it shares our memory and may not allocate.
struct Start {
  const SpawnPlan* plan = nullptr;
  pid_t parent = 0;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  int error = 0;  // errno of what failed
};

// The system call itself: the C library, and a sanitizer in it, keeps tables of handlers in the memory that we share.
void set_default(int signal) {
  alignas(8) char default_action[64] = {};
  syscall(SYS_rt_sigaction, signal, default_action, nullptr, _NSIG / 8);
}

void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  rlimit limit;  // Linux before 5.9
  const rlim_t end = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min<rlim_t>(limit.rlim_cur, 1 << 20) : 1024;
  for (rlim_t fd = first; fd < end; ++fd) close(static_cast<int>(fd));
}

bool leave_parent_or_stay(const Start& start) {
  if (start.plan->kind == SpawnKind::detached) return setsid() >= 0 && chdir("/") == 0;
  // The order rules out that we die unnoticed in between.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != start.parent) return false;
  return start.plan->kind == SpawnKind::child || setpgid(0, 0) == 0;
}

bool take_descriptors(const SpawnPlan& plan) {
  if (dup2(plan.input, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.errors, 2) < 0) return false;
  if (plan.lock == kLockDescriptor) {
    fcntl(kLockDescriptor, F_SETFD, 0);
  } else if (plan.lock >= 0 && dup2(plan.lock, kLockDescriptor) < 0) {
    return false;
  }
  close_from(plan.lock >= 0 ? kLockDescriptor + 1 : kLockDescriptor);
  return true;
}

void forget_signals(const SpawnPlan& plan) {
  for (int signal = 1; signal < _NSIG; ++signal) {
    if (signal != SIGHUP || !plan.keep_hangup_ignored) set_default(signal);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child, in our memory, with all signals blocked, while this thread stands still.
int begin_child(void* argument) {
  Start& start = *static_cast<Start*>(argument);
  errno = 0;
  if (leave_parent_or_stay(start) && take_descriptors(*start.plan)) {
    restore_file_limit();
    forget_signals(*start.plan);
    execve(start.plan->program, start.arguments, start.environment);
  }
  start.error = errno;
  return 127;
}

class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

std::vector<char*> pointers_to(std::span<const std::string> texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Result<Spawned> clone_child(Start& start) {
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
  // It grows downwards, and its top must be aligned.
  const auto top = reinterpret_cast<uintptr_t>(stack.get() + kStackBytes) & ~uintptr_t{63};
  int pidfd = -1;
  Spawned spawned;
  {
    const AllSignalsBlocked blocked;  // a handler must not run in the child, where our memory would be its own
    spawned.pid = clone(begin_child, reinterpret_cast<void*>(top), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                        &start, &pidfd);
  }
  if (spawned.pid < 0) return sys_fail("start a process", "");
  spawned.process = UniqueFd(pidfd);
  return spawned;
}

}  // namespace

Result<Spawned> spawn(const SpawnPlan& plan) {
  const auto arguments = pointers_to(plan.arguments), environment = pointers_to(plan.environment);
  Start start{.plan = &plan, .parent = getpid(), .arguments = arguments.data(), .environment = environment.data()};
  PG_ASSIGN(Spawned spawned, clone_child(start));
  if (start.error == 0) return spawned;
  PG_CHECK(take_status(spawned.process, Reap::wait));
  return fail(errc_of(start.error) == Errc::limit ? Errc::limit : Errc::io, "cannot run", plan.program, {},
              start.error);
}

Result<std::optional<ChildStatus>> take_status(const UniqueFd& process, Reap how) {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  const int options = WEXITED | (how == Reap::look ? WNOHANG : 0);
  if (retry_eintr([&] { return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, options); }) != 0) {
    return sys_fail("wait for a process", "");
  }
  if (info.si_pid == 0) return std::nullopt;
  ChildStatus status;
  (info.si_code == CLD_EXITED ? status.exit_status : status.signal) = info.si_status;
  return status;
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_fail("make a pipe", "");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void make_nonblocking(const UniqueFd& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

void expect_child_statuses() {
  struct sigaction action;
  std::memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, nullptr);
}

Result<bool> poll_until(std::span<pollfd> polled, Deadline deadline) {
  for (Tries tries;;) {
    const nanoseconds left = time_left(deadline, steady_clock::now());
    const auto whole = floor<seconds>(left);
    const timespec timeout{whole.count(), nanoseconds(left - whole).count()};
    const int ready = ppoll(polled.data(), polled.size(), deadline == kNoDeadline ? nullptr : &timeout, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR || !tries.again()) return sys_fail("wait for a process", "");
  }
}

}  // namespace pg
