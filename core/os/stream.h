// Standard input and output, and files read from end to end, without stdio: read(2) and write(2) on descriptors.
#pragma once

#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/types.h"
#include "core/os/file_system.h"

namespace pg {

// Reads from a descriptor that it does not own.
class InputStream {
 public:
  InputStream(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  static InputStream standard_input() { return {0, "standard input"}; }

  // What wait() has seen: data or the end, nothing until the deadline, or a stop signal.
  enum class Ready { yes, no, stopped };
  // Waits until a read would return at once (data, or the end), until `deadline`, or until a stop signal arrives.
  Result<Ready> wait(Deadline deadline) const;

  // If it is a pipe, gives it room for 1 MiB (the default is 64 KiB), so that writer and reader wait less for each
  // other.
  void enlarge_pipe() const;

  // What there is, at most into.size() bytes; 0 at the end.
  Result<size_t> read(MutableBytes into) const;

 private:
  int fd_;
  std::string name_;
};

// Writes to a descriptor that it does not own.
class OutputStream {
 public:
  OutputStream(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  static OutputStream standard_output() { return {1, "standard output"}; }
  static OutputStream standard_error() { return {2, "standard error"}; }

  // All of `bytes`, or an error. A closed pipe raises SIGPIPE, which ends the process as it ends cat; where that is
  // ignored, it is an error with EPIPE. interrupted: a stop signal came, and nobody takes the bytes.
  Result<> write(ByteView bytes) const;

  void enlarge_pipe() const;  // as above
  bool is_terminal() const;
  // Whether it is a pipe that nobody reads any more.
  bool is_abandoned() const;

 private:
  int fd_;
  std::string name_;
};

// Takes the numbers 0, 1 and 2 where the caller left them closed, so that no file of ours gets one and is read as
// standard input or written to as standard output. Using them still fails.
void guard_standard_descriptors();

// Raises the limit of open files as far as it may be raised: a follower of many partitions needs three for each.
void allow_many_files();
// Takes that back, in a child process: programs that know only small numbers expect the limit of their caller. Safe
// where only async-signal-safe calls are.
void restore_file_limit();

// The whole of a user's file, which may be a link, a pipe or a device. limit: longer than `most` bytes.
// interrupted: a stop signal came while a pipe had nothing.
Result<std::string> read_user_file(const std::string& path, size_t most);

// Whether write_user_file() may write there, as far as a caller can know before it does its other work.
Result<> check_user_file(const std::string& path);

// Makes `content` the content of a user's file. A link is followed. A file is replaced whole and durably. A device or a
// pipe is written to.
Result<> write_user_file(FileSystem& files, const std::string& path, std::string_view content);

}  // namespace pg
