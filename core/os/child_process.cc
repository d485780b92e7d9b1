#include "core/os/child_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <array>

#include "core/os/signals.h"
#include "core/os/spawn.h"
#include "core/os/stream.h"

namespace pg {
namespace {

bool is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

std::string ChildStatus::text() const {
  if (signal == 0) return fmt::format("exit status {}", exit_status);
  const char* name = sigdescr_np(signal);
  return name == nullptr ? fmt::format("killed by signal {}", signal)
                         : fmt::format("killed by signal {} ({})", signal, name);
}

class ChildProcesses::Child {
 public:
  static Result<std::unique_ptr<Child>> start(const ChildCommand& command);

  int pidfd() const { return process_.process.get(); }
  int input() const { return input_.get(); }
  int errors() const { return errors_.get(); }

  // As much as the pipe takes.
  void feed() {
    for (Tries tries; fed_ < data_.size();) {
      const ssize_t put = retry_eintr([&] { return write(input_.get(), data_.data() + fed_, data_.size() - fed_); });
      if (put < 0 && errno == EAGAIN) return;
      if (put < 0 || (put == 0 && !tries.again())) break;  // EPIPE: it has read as much as it wants
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
    PG_ASSIGN(const auto status, take_status(process_.process, Reap::wait));
    ChildExit exit;
    exit.status = *status;
    exit.errors = std::move(kept_);
    return exit;
  }

  void kill_group() const { kill(-process_.pid, SIGKILL); }

 private:
  Spawned process_;
  UniqueFd input_, errors_;
  std::string data_;
  size_t fed_ = 0;
  std::string kept_;
};

Result<std::unique_ptr<ChildProcesses::Child>> ChildProcesses::Child::start(const ChildCommand& command) {
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

  SpawnPlan plan;
  plan.program = "/bin/sh";
  plan.arguments = {"sh", "-c", "--", command.shell_command};  // behind "--" a command may begin with a dash
  plan.environment = command.environment;
  plan.input = input.reader.get();
  if (command.keep_errors) plan.errors = errors.writer.get();
  if (command.inherit) plan.lock = *command.inherit;
  plan.keep_hangup_ignored = is_ignored(SIGHUP);
  auto process = spawn(plan);
  if (!process && process.error().sys_errno == E2BIG) {
    return fail(Errc::limit, "cannot run the command: its environment, with key and headers, is too large", "", {},
                E2BIG);
  }
  PG_CHECK(process);
  child->process_ = std::move(*process);
  child->errors_ = std::move(errors.reader);
  return child;
}

ChildProcesses::ChildProcesses() {
  ignore_closed_pipes();
  expect_child_statuses();
}

ChildProcesses::~ChildProcesses() {
  kill_all();
  for (auto& [id, child] : children_) (void)child->finish();
}

Result<> ChildProcesses::start(uint64_t id, const ChildCommand& command) {
  PG_ASSIGN(auto child, Child::start(command));
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
    PG_ASSIGN(const bool ready, poll_until(polled, deadline));
    if (!ready) return std::nullopt;
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
