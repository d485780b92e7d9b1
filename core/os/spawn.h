// Starts a program as a new process, and helps its parent to wait for it. Only for use inside core/os.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/os/child_process.h"
#include "core/os/unique_fd.h"

namespace pg {

enum class SpawnKind {
  command,   // in a process group of its own, killed when the thread that started it dies
  child,     // in ours, killed likewise
  detached,  // in a session of its own and the root directory; outlives us
};

// It gets the signals' default dispositions, an empty signal mask, our caller's limit of open files, and no descriptors
// but those named here.
struct SpawnPlan {
  SpawnKind kind = SpawnKind::command;
  const char* program = nullptr;
  std::vector<std::string> arguments;        // from its name on
  std::span<const std::string> environment;  // all of it
  int input = 0, output = 1, errors = 2;     // what become its 0, 1 and 2
  int lock = -1;                             // what becomes its 3, if anything
  bool keep_hangup_ignored = false;
};

struct Spawned {
  pid_t pid = 0;
  UniqueFd process;  // a pidfd
};

// Errors: E2BIG is about the plan; others (limit, io) say that it cannot be started now.
Result<Spawned> spawn(const SpawnPlan& plan);

// Whether take_status() waits for the end of the process.
enum class Reap { wait, look };
// How it ended; empty only if it is looked at and still runs. Once.
Result<std::optional<ChildStatus>> take_status(const UniqueFd& process, Reap how);

// The two ends of a pipe.
struct Pipe {
  UniqueFd reader, writer;
};
Result<Pipe> make_pipe();
void make_nonblocking(const UniqueFd& fd);

// A process that ignores SIGCHLD, or was started so, gets no exit status of its children. This call restores the
// default.
void expect_child_statuses();

// poll(2) until something is ready; false: `deadline` came first.
Result<bool> poll_until(std::span<pollfd> polled, Deadline deadline);

}  // namespace pg
