// Stop signals: how a tool asks its own loops to end, and how an append keeps itself from being stopped half way.
#pragma once

#include <csignal>
#include <optional>

#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

class Clock;

// After this, SIGINT and SIGTERM set a flag instead of ending the process, and every wait in core/os returns early.
// Meant for a tool's main, once.
void catch_stop_signals();
// The signal that arrived, or 0.
int stop_signal();
// Whether it arrived so long ago that the process must not wait any more. Until then it may wait for a lock that
// another process holds for a moment, and finish what it has begun.
bool stop_is_overdue();
// A descriptor that becomes readable with the signal, so that one that arrives just before a poll is not missed; -1
// before catch_stop_signals.
int stop_descriptor();
// How many have arrived. A caller that waits for something to finish ends at once at the second one.
int stop_signal_count();
// How long a process that was asked to stop still waits for an election, or for a hung replica to leave the ISR, so
// that it can finish what it has begun: brokers need seconds to notice. After a second signal it does not wait. One
// object for each wait.
class StopPatience {
 public:
  bool is_over(Clock& clock);

 private:
  std::optional<Deadline> since_;  // the first look that saw a signal
};
// Makes stop_descriptor() unreadable until one more arrives, for a caller that goes on waiting after the first.
void await_next_stop_signal();
// Before another program takes the place of this one: they end the process again, and one that arrived ends it now.
void release_stop_signals();
// Ends the process by `signal`'s default action, as if it had never been caught.
[[noreturn]] void die_of_signal(int signal);

// After this, writing to a pipe without a reader is an error with EPIPE, so that the caller can finish its work first.
void ignore_closed_pipes();

// A store into a mapped page whose file another process truncated raises SIGBUS: this prints one line and ends the
// process with `exit_status` in place of a crash. A file that grows beyond RLIMIT_FSIZE becomes an ordinary error.
void guard_file_signals(int exit_status);

// Blocks the catchable stop signals of job control (SIGTSTP, SIGTTIN, SIGTTOU) in this thread while it lives, so that
// Ctrl-Z does not leave a partition's append lock held by a stopped process.
class NoJobStop {
 public:
  NoJobStop();
  ~NoJobStop();
  NoJobStop(const NoJobStop&) = delete;
  NoJobStop& operator=(const NoJobStop&) = delete;

 private:
  sigset_t before_;
};

}  // namespace pg
