// This program once more, with other arguments: as a child that is looked after, or on its own. What runs is the very
// file that this process runs, whatever has become of its name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/os/child_process.h"

namespace pg {

// The arguments and the environment of a new process.
struct ProgramStart {
  std::vector<std::string> arguments;    // from the program's name on
  std::vector<std::string> environment;  // all of it
};

// A child that is killed when the thread that started it dies. It has our standard input; what it says on standard
// output and standard error comes through a pipe.
class ProgramChild {
 public:
  static Result<ProgramChild> start(const ProgramStart& start);
  ProgramChild(ProgramChild&&) noexcept;
  ~ProgramChild();  // kills it, if it still runs

  // What wait() has seen of the child.
  struct News {
    std::string output;                // what it has said since the last call
    std::optional<ChildStatus> ended;  // all it has said is in the output then
    bool stop = false;                 // a stop signal has arrived that no call had noticed before
  };
  // Returns as soon as there is any, and at `deadline`.
  Result<News> wait(Deadline deadline);

  int32_t pid() const;
  void terminate();  // asks it to end, by SIGTERM
  void kill();       // at once, by SIGKILL

 private:
  struct State;
  explicit ProgramChild(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A process that goes on when we end, in a session of its own and the root directory, without standard input.
class DetachedProgram {
 public:
  // Standard output and standard error are appended to `output_file`, made if missing.
  static Result<DetachedProgram> start(const ProgramStart& start, const std::string& output_file);
  DetachedProgram(DetachedProgram&&) noexcept;
  DetachedProgram& operator=(DetachedProgram&&) noexcept;
  ~DetachedProgram();

  // Whether and how it has ended, while we live. Does not wait.
  Result<std::optional<ChildStatus>> ended();

 private:
  struct State;
  explicit DetachedProgram(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What ps(1) and top(1) show as the name of this process, at most 15 bytes. One that was started as above has none.
void name_this_process(const char* name);

// Replaces this program by another one of the same installation, `path` as seen from the folder of this program's file:
// with our environment, standard streams and working directory, and with everything about signals and limits as our
// caller left it. Returns only if that cannot be. A stop signal that was caught ends the process instead.
Error become_program(const std::string& path, const std::string& name, const std::vector<std::string>& arguments);

// An absolute name of what exists as `path`, for a process in another directory.
Result<std::string> absolute_path(const std::string& path);

}  // namespace pg
