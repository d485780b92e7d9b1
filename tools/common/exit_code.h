// The exit status of every tool, in one table.
#pragma once

#include "core/base/result.h"

namespace pg {

enum ExitCode : int {
  kExitDone = 0,        // all of it
  kExitFailed = 1,      // I/O, permission, already exists, internal
  kExitUsage = 2,       // usage, or malformed input
  kExitNotFound = 3,    // no such topic or offset; nothing to read where --fail-if-empty was asked
  kExitBusy = 4,        // timed out, busy, not leader: a retry may help
  kExitNotDurable = 5,  // not as durable as asked
  kExitDamaged = 6,     // damaged data, found by reading or by verify
  kExitLimit = 7,       // no space, or a limit was hit
  kExitCondition = 8,   // a checked condition does not hold
};

constexpr ExitCode exit_code(Errc code) {
  switch (code) {
    case Errc::already_exists:
    case Errc::unsupported_version:
    case Errc::io:
      return kExitFailed;
    case Errc::invalid_argument:
      return kExitUsage;
    case Errc::not_found:
    case Errc::out_of_range:
      return kExitNotFound;
    case Errc::busy:
    case Errc::timed_out:
    case Errc::interrupted:
    case Errc::fenced:
    case Errc::not_leader:
      return kExitBusy;
    case Errc::not_durable:
      return kExitNotDurable;
    case Errc::corrupt:
      return kExitDamaged;
    case Errc::no_space:
    case Errc::limit:
      return kExitLimit;
    case Errc::conflict:
      return kExitCondition;
  }
  return kExitFailed;
}

inline ExitCode exit_code(const Error& error) {
  // A place in a log with a format that this program cannot read.
  if (error.code == Errc::unsupported_version && error.position) return kExitDamaged;
  // A missing topic is one thing, a missing file of somebody's another.
  return error.code == Errc::not_found && error.sys_errno != 0 ? kExitFailed : exit_code(error.code);
}

}  // namespace pg
