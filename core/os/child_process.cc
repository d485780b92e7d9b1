#include "core/os/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/os/signals.h"
#include "core/os/stream.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr size_t kStackBytes = 64 << 10;
constexpr int kLockDescriptor = 3;

// What the child needs between clone and exec, made beforehand: it shares our memory and may not allocate.
struct Start {
  pid_t parent = 0;
  int input = -1;
  int errors = -1;  // -1: as ours
  int lock = -1;
  bool keep_hangup_ignored = false;
  const char* const* arguments = nullptr;
  char* const* environment = nullptr;
  int error = 0;  // errno of what failed
};

bool is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

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

// What the child then ends with.
int give_up(Start& start, int error) {
  start.error = error;
  return 127;
}

// In the child, in our memory, with all signals blocked, while this thread stands still.
int begin_child(void* argument) {
  Start& start = *static_cast<Start*>(argument);
  // The order rules out that we die unnoticed in between.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return give_up(start, errno);
  if (getppid() != start.parent) return 127;
  setpgid(0, 0);
  if (dup2(start.input, 0) < 0) return give_up(start, errno);
  if (start.errors >= 0 && dup2(start.errors, 2) < 0) return give_up(start, errno);
  if (start.lock == kLockDescriptor) {
    fcntl(kLockDescriptor, F_SETFD, 0);
  } else if (start.lock >= 0 && dup2(start.lock, kLockDescriptor) < 0) {
    return give_up(start, errno);
  }
  close_from(start.lock >= 0 ? kLockDescriptor + 1 : kLockDescriptor);
  restore_file_limit();
  for (int signal = 1; signal < _NSIG; ++signal) {
    if (signal != SIGHUP || !start.keep_hangup_ignored) set_default(signal);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve("/bin/sh", const_cast<char* const*>(start.arguments), start.environment);
  return give_up(start, errno);
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

struct Pipe {
  UniqueFd reader, writer;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return sys_fail("make a pipe", "");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void make_nonblocking(const UniqueFd& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

Result<siginfo_t> wait_for(const UniqueFd& pidfd) {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  if (retry_eintr([&] { return waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED); }) != 0) {
    return sys_fail("wait for a command", "");
  }
  return info;
}

}  // namespace

std::string ChildStatus::text() const {
  if (signal == 0) return fmt::format("exit status {}", exit_status);
  const char* name = sigdescr_np(signal);
  return name == nullptr ? fmt::format("killed by signal {}", signal) : fmt::format("killed by signal {} ({})", signal, name);
}

class ChildProcesses::Child {
 public:
  static Result<std::unique_ptr<Child>> start(const ChildCommand& command, std::byte* stack_end);

  int pidfd() const { return pidfd_.get(); }
  int input() const { return input_.get(); }
  int errors() const { return errors_.get(); }

  // As much as the pipe takes.
  void feed() {
    while (fed_ < data_.size()) {
      const ssize_t put = retry_eintr([&] { return write(input_.get(), data_.data() + fed_, data_.size() - fed_); });
      if (put < 0 && errno == EAGAIN) return;
      if (put < 0) break;  // EPIPE: it has read as much as it wants
      fed_ += static_cast<size_t>(put);
    }
    input_ = UniqueFd();
    data_ = {};
  }

  // What is there now.
  void pass_errors_on() {
    std::array<char, 16 << 10> bytes;
    for (;;) {
      const ssize_t got = retry_eintr([&] { return read(errors_.get(), bytes.data(), bytes.size()); });
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) break;
      const std::string_view text(bytes.data(), static_cast<size_t>(got));
      (void)OutputStream::standard_error().write(as_bytes(text));
      kept_.append(text);
      if (kept_.size() > kKeptErrorBytes) kept_.erase(0, kept_.size() - kKeptErrorBytes);
    }
    errors_ = UniqueFd();
  }

  // After its end.
  Result<ChildExit> finish() {
    // Not to the end of the pipe: what the command left in the background may hold it open.
    if (errors_.get() >= 0) pass_errors_on();
    PG_ASSIGN(const siginfo_t info, wait_for(pidfd_));
    ChildExit exit;
    (info.si_code == CLD_EXITED ? exit.status.exit_status : exit.status.signal) = info.si_status;
    exit.errors = std::move(kept_);
    return exit;
  }

  void kill_group() const { kill(-pid_, SIGKILL); }

 private:
  Result<> run(Start& start, std::byte* stack_end);

  pid_t pid_ = 0;
  UniqueFd pidfd_, input_, errors_;
  std::string data_;
  size_t fed_ = 0;
  std::string kept_;
};

Result<std::unique_ptr<ChildProcesses::Child>> ChildProcesses::Child::start(const ChildCommand& command, std::byte* stack_end) {
  auto child = std::make_unique<Child>();
  PG_ASSIGN(Pipe input, make_pipe());
  Pipe errors;
  if (command.keep_errors) {
    PG_ASSIGN(errors, make_pipe());
    make_nonblocking(errors.reader);
  }
  // Most values fit into the pipe: then nobody has to be fed.
  child->input_ = std::move(input.writer);
  make_nonblocking(child->input_);
  child->data_ = command.input;
  child->feed();

  // Behind "--" a command may begin with a dash.
  const std::array<const char*, 5> arguments = {"sh", "-c", "--", command.shell_command.c_str(), nullptr};
  std::vector<char*> environment;
  for (const auto& variable : command.environment) environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);
  Start start{.parent = getpid(), .input = input.reader.get(), .errors = errors.writer.get(),
              .lock = command.inherit != nullptr ? command.inherit->descriptor() : -1,
              .keep_hangup_ignored = is_ignored(SIGHUP), .arguments = arguments.data(), .environment = environment.data()};
  PG_CHECK(child->run(start, stack_end));
  child->errors_ = std::move(errors.reader);
  return child;
}

Result<> ChildProcesses::Child::run(Start& start, std::byte* stack_end) {
  int pidfd = -1;
  {
    const AllSignalsBlocked blocked;  // a handler must not run in the child, where our memory would be its own
    pid_ = clone(begin_child, stack_end, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
  }
  if (pid_ < 0) return sys_fail("start a process", "");
  pidfd_ = UniqueFd(pidfd);
  if (start.error == 0) return {};
  PG_CHECK(wait_for(pidfd_));
  if (start.error == E2BIG) {
    return fail(Errc::limit, "cannot run the command: its environment, with key and headers, is too large", "", {}, E2BIG);
  }
  return fail(errc_of(start.error) == Errc::limit ? Errc::limit : Errc::io, "cannot run", "/bin/sh", {}, start.error);
}

ChildProcesses::ChildProcesses() : stack_(std::make_unique<std::byte[]>(kStackBytes)) {
  ignore_closed_pipes();
  // Whoever ignores SIGCHLD, or was started so, is told no exit status.
  struct sigaction action;
  std::memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, nullptr);
}

ChildProcesses::~ChildProcesses() {
  kill_all();
  for (auto& [id, child] : children_) (void)child->finish();
}

Result<> ChildProcesses::start(uint64_t id, const ChildCommand& command) {
  // The top of the stack: it grows downwards, and must be aligned.
  const auto top = reinterpret_cast<uintptr_t>(stack_.get() + kStackBytes) & ~uintptr_t{63};
  PG_ASSIGN(auto child, Child::start(command, reinterpret_cast<std::byte*>(top)));
  PG_ASSERT(children_.emplace(id, std::move(child)).second);
  return {};
}

Result<std::optional<ChildExit>> ChildProcesses::wait(Deadline deadline) {
  std::vector<pollfd> polled;
  for (;;) {
    polled.clear();
    polled.push_back({stop_descriptor(), POLLIN, 0});
    for (const auto& [id, child] : children_) {
      polled.push_back({child->pidfd(), POLLIN, 0});
      polled.push_back({child->input(), POLLOUT, 0});  // -1 is passed over
      polled.push_back({child->errors(), POLLIN, 0});
    }
    const auto left = std::max<nanoseconds>(deadline - steady_clock::now(), nanoseconds(0));
    const auto whole = floor<seconds>(left);
    const timespec timeout{whole.count(), nanoseconds(left - whole).count()};
    const int ready = ppoll(polled.data(), polled.size(), deadline == kNoDeadline ? nullptr : &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return sys_fail("wait for commands", "");
    if (ready == 0) return std::nullopt;
    if (ready < 0) continue;
    size_t at = 1;
    std::optional<uint64_t> ended;
    for (const auto& [id, child] : children_) {
      if (polled[at + 1].revents != 0) child->feed();
      if (polled[at + 2].revents != 0) child->pass_errors_on();
      if (polled[at].revents != 0 && !ended) ended = id;
      at += 3;
    }
    if (ended) return reap(*ended);
    if (polled[0].revents != 0) {
      await_next_stop_signal();
      return std::nullopt;
    }
  }
}

Result<std::optional<ChildExit>> ChildProcesses::reap(uint64_t id) {
  const auto found = children_.find(id);
  auto exit = found->second->finish();
  children_.erase(found);
  PG_CHECK(exit);
  exit->id = id;
  return std::optional(std::move(*exit));
}

void ChildProcesses::kill_all() {
  for (const auto& [id, child] : children_) child->kill_group();
}

}  // namespace pg
