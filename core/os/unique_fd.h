// A file descriptor that closes itself, and errno as an Error. Only for use inside core/os.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "core/base/result.h"
#include "core/os/process_limits.h"

namespace pg {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  // Never retried on EINTR: Linux has released the descriptor by then, and another thread may own the number.
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

inline Errc errc_of(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Errc::already_exists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errc::no_space;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOLCK:
      return Errc::limit;
    default:
      return Errc::io;
  }
}

// "cannot VERB: strerror (path @ position)", and the limit that was met, if it was one.
inline tl::unexpected<Error> sys_fail(const char* verb, const std::string& path, std::optional<int64_t> position = {}) {
  const int error = errno;
  return fail(errc_of(error), fmt::format("cannot {}{}", verb, limit_met(error)), path, position, error);
}

// Counts tries that did nothing, so that no loop goes on for ever: a filter, a debugger or a broken file system may
// answer a system call, and other processes may wait for us. Real signals come a few at a time.
class Tries {
 public:
  // False: there were too many in a row.
  bool again() { return ++idle_ < kIdleMax; }
  void made_progress() { idle_ = 0; }

 private:
  static constexpr int kIdleMax = 1000;
  int idle_ = 0;
};

// Repeats a call that a signal interrupted.
template <class Call>
auto retry_eintr(Call call) {
  Tries tries;
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR && tries.again());
  return result;
}

// The error for a write that took no bytes and gave no error.
inline tl::unexpected<Error> nothing_written(const std::string& path, std::optional<int64_t> position = {}) {
  return fail(Errc::io, "cannot write: the system takes no bytes and gives no reason", path, position);
}

}  // namespace pg
