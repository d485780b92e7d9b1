// Commands, run by sh, any number at once, looked after by one thread.
//
// A command has standard output and standard error of this process, a pipe on standard input, the signals' default
// dispositions (only SIGHUP stays ignored under nohup), an empty signal mask, and no other descriptor than 0, 1 and 2;
// and 3, if it is to inherit one. It is in a process group of its own, so that Ctrl-C reaches it only through us,
// and is killed when the thread that started it dies.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"
#include "core/os/file_system.h"

namespace pg {

// A command of the user, and what it runs with.
struct ChildCommand {
  std::string shell_command;             // for sh -c
  std::vector<std::string> environment;  // "NAME=value": all of it
  std::string input;                     // what it may read on standard input; it need not
  bool keep_errors = false;              // its standard error goes through us, and its end is kept
  std::optional<int> inherit = {};       // it gets this descriptor as 3, with the locks that it holds
};

// How a child process has ended.
struct ChildStatus {
  int exit_status = 0;  // meaningful if no signal ended it
  int signal = 0;
  bool succeeded() const { return signal == 0 && exit_status == 0; }
  int shell_status() const { return signal != 0 ? 128 + signal : exit_status; }  // as $? has it
  std::string text() const;  // "exit status 3", "killed by signal 9 (Killed)"
};

// A child process that has ended.
struct ChildExit {
  uint64_t id = 0;
  ChildStatus status;
  std::string errors;  // with keep_errors: the last bytes of standard error
};

inline constexpr size_t kKeptErrorBytes = 1024;

class ChildProcesses {
 public:
  // From now on this process ignores SIGPIPE.
  ChildProcesses();
  ~ChildProcesses();  // kills what still runs

  // `id` is the caller's name for it. An error with sys_errno E2BIG is the command's own: its arguments and environment
  // are larger than the system allows. Other errors (limit, io) say that nothing can be started now.
  Result<> start(uint64_t id, const ChildCommand& command);

  // Feeds the commands and passes on what they say until one ends: that is returned. Empty: `deadline` came, or a stop
  // signal that no call had noticed before.
  Result<std::optional<ChildExit>> wait(Deadline deadline);

  size_t running() const { return children_.size(); }
  // Kills all of them, with what they have started in their process groups. wait() then returns them.
  void kill_all();

 private:
  class Child;
  Result<std::optional<ChildExit>> reap(uint64_t id);

  std::map<uint64_t, std::unique_ptr<Child>> children_;
};

}  // namespace pg
