#include "core/os/this_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "core/os/signals.h"
#include "core/os/spawn.h"
#include "core/os/stream.h"

namespace pg {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";

SpawnPlan plan_of(const ProgramStart& start, SpawnKind kind) {
  SpawnPlan plan;
  plan.kind = kind;
  plan.program = kThisProgram;
  plan.arguments = start.arguments;
  plan.environment = start.environment;
  return plan;
}

Result<UniqueFd> open_at(const std::string& path, int flags) {
  UniqueFd fd(retry_eintr([&] { return open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0666); }));
  if (fd.get() < 0) return sys_fail("open", path);
  return fd;
}

}  // namespace

struct ProgramChild::State {
  Spawned process;
  UniqueFd output;
  std::optional<ChildStatus> status;

  // What is there now.
  void read_output(std::string& into) {
    std::array<char, 16 << 10> bytes;
    for (;;) {
      const ssize_t got = retry_eintr([&] { return read(output.get(), bytes.data(), bytes.size()); });
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) break;
      into.append(bytes.data(), static_cast<size_t>(got));
    }
    output = UniqueFd();
  }
};

ProgramChild::ProgramChild(std::unique_ptr<State> state) : state_(std::move(state)) {}
ProgramChild::ProgramChild(ProgramChild&&) noexcept = default;

ProgramChild::~ProgramChild() {
  if (!state_ || state_->status) return;
  kill();
  (void)take_status(state_->process.process, Reap::wait);
}

Result<ProgramChild> ProgramChild::start(const ProgramStart& start) {
  expect_child_statuses();
  PG_ASSIGN(Pipe output, make_pipe());
  make_nonblocking(output.reader);
  SpawnPlan plan = plan_of(start, SpawnKind::child);
  plan.output = plan.errors = output.writer.get();
  auto state = std::make_unique<State>();
  PG_ASSIGN(state->process, spawn(plan));
  state->output = std::move(output.reader);
  return ProgramChild(std::move(state));
}

Result<ProgramChild::News> ProgramChild::wait(Deadline deadline) {
  pollfd polled[] = {
      {stop_descriptor(), POLLIN, 0}, {state_->process.process.get(), POLLIN, 0}, {state_->output.get(), POLLIN, 0}};
  PG_CHECK(poll_until(polled, deadline));
  News news;
  if (polled[0].revents != 0) {
    await_next_stop_signal();
    news.stop = true;
  }
  // Not to the end of the pipe: what the child has started itself may hold it open.
  if (polled[1].revents != 0 || polled[2].revents != 0) state_->read_output(news.output);
  if (polled[1].revents != 0) {
    PG_ASSIGN(state_->status, take_status(state_->process.process, Reap::wait));
    news.ended = state_->status;
  }
  return news;
}

int32_t ProgramChild::pid() const { return state_->process.pid; }

void ProgramChild::terminate() { syscall(SYS_pidfd_send_signal, state_->process.process.get(), SIGTERM, nullptr, 0); }

void ProgramChild::kill() { syscall(SYS_pidfd_send_signal, state_->process.process.get(), SIGKILL, nullptr, 0); }

struct DetachedProgram::State {
  Spawned process;
  std::optional<ChildStatus> status;
};

DetachedProgram::DetachedProgram(std::unique_ptr<State> state) : state_(std::move(state)) {}
DetachedProgram::DetachedProgram(DetachedProgram&&) noexcept = default;
DetachedProgram& DetachedProgram::operator=(DetachedProgram&&) noexcept = default;
DetachedProgram::~DetachedProgram() = default;

Result<DetachedProgram> DetachedProgram::start(const ProgramStart& start, const std::string& output_file) {
  expect_child_statuses();
  PG_ASSIGN(const UniqueFd nothing, open_at("/dev/null", O_RDONLY));
  PG_ASSIGN(const UniqueFd output, open_at(output_file, O_WRONLY | O_APPEND | O_CREAT));
  SpawnPlan plan = plan_of(start, SpawnKind::detached);
  plan.input = nothing.get();
  plan.output = plan.errors = output.get();
  auto state = std::make_unique<State>();
  PG_ASSIGN(state->process, spawn(plan));
  return DetachedProgram(std::move(state));
}

Result<std::optional<ChildStatus>> DetachedProgram::ended() {
  if (!state_->status) {
    PG_ASSIGN(state_->status, take_status(state_->process.process, Reap::look));
  }
  return state_->status;
}

void name_this_process(const char* name) { prctl(PR_SET_NAME, name); }

Error become_program(const std::string& path, const std::string& name, const std::vector<std::string>& arguments) {
  const auto fault = [&](const char* what, const std::string& file) { return Error{Errc::io, what, file, {}, errno}; };
  const std::unique_ptr<char, void (*)(void*)> self(realpath(kThisProgram, nullptr), free);
  if (self == nullptr) return fault("cannot find out which program this is", kThisProgram);
  const std::string file = parent_path(self.get()) + "/" + path;
  if (access(file.c_str(), X_OK) != 0) return fault("not installed: the part of this program that knows schemas", file);
  std::vector<char*> argv = {const_cast<char*>(name.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  release_stop_signals();
  restore_file_limit();
  execve(file.c_str(), argv.data(), environ);
  return fault("cannot run", file);
}

Result<std::string> absolute_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> absolute(realpath(path.c_str(), nullptr), free);
  if (absolute == nullptr) return sys_fail("find", path);
  return std::string(absolute.get());
}

}  // namespace pg
