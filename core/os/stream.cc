#include "core/os/stream.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "core/os/clock.h"
#include "core/os/signals.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr int kPipeBytes = 1 << 20;  // the most an unprivileged process may ask for, by default

std::optional<rlimit> g_file_limit_before;

int poll_timeout_ms(Deadline deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left = ceil<milliseconds>(time_left(deadline, steady_clock::now()));
  return static_cast<int>(std::min<int64_t>(left.count(), std::numeric_limits<int>::max()));
}

}  // namespace

Result<InputStream::Ready> InputStream::wait(Deadline deadline) const {
  for (Tries tries;;) {
    pollfd waited[] = {{fd_, POLLIN, 0}, {stop_descriptor(), POLLIN, 0}};
    const int ready = poll(waited, 2, poll_timeout_ms(deadline));
    if (stop_signal() != 0) return Ready::stopped;
    if (ready > 0) return Ready::yes;
    if (ready == 0) return Ready::no;
    if (errno != EINTR || !tries.again()) return sys_fail("wait for", name_);
  }
}

void InputStream::enlarge_pipe() const { fcntl(fd_, F_SETPIPE_SZ, kPipeBytes); }

Result<size_t> InputStream::read(MutableBytes into) const {
  const ssize_t got = retry_eintr([&] { return ::read(fd_, into.data(), into.size()); });
  if (got < 0) return sys_fail("read", name_);
  return static_cast<size_t>(got);
}

Result<> OutputStream::write(ByteView bytes) const {
  for (Tries tries; !bytes.empty();) {
    // Once we are to stop, only what goes without waiting, so that a reader that sleeps does not keep us alive. A pipe
    // that is ready takes PIPE_BUF bytes.
    const bool stopping = stop_signal() != 0;
    pollfd asked{fd_, POLLOUT, 0};
    if (stopping && poll(&asked, 1, 0) == 0) return fail(Errc::interrupted, "interrupted before it was written", name_);
    const ssize_t put = ::write(fd_, bytes.data(), stopping ? std::min<size_t>(bytes.size(), PIPE_BUF) : bytes.size());
    if (put < 0 && errno == EINTR && tries.again()) continue;
    if (put < 0) return sys_fail("write", name_);
    if (put == 0 && !tries.again()) return nothing_written(name_);
    if (put > 0) tries.made_progress();
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

bool OutputStream::is_terminal() const { return isatty(fd_) != 0; }

bool OutputStream::is_abandoned() const {
  pollfd asked{fd_, 0, 0};
  return poll(&asked, 1, 0) > 0 && (asked.revents & POLLERR);
}

void OutputStream::enlarge_pipe() const { fcntl(fd_, F_SETPIPE_SZ, kPipeBytes); }

void guard_standard_descriptors() {
  for (const int fd : {0, 1, 2}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one. Opened the wrong way round, so that reads and writes are refused.
    (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

void allow_many_files() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  g_file_limit_before = limit;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void restore_file_limit() {
  if (g_file_limit_before) setrlimit(RLIMIT_NOFILE, &*g_file_limit_before);
}

Result<std::string> read_user_file(const std::string& path, size_t most) {
  UniqueFd fd(retry_eintr([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (fd.get() < 0)
    return fail(errno == EMFILE ? Errc::limit : Errc::io, "cannot open" + limit_met(errno), path, {},
                errno);  // a missing file is no missing topic
  // A pipe was opened without waiting for its other end, so that a stop signal can end the wait for it.
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  const InputStream input(fd.get(), path);
  std::string content;
  for (;;) {
    PG_ASSIGN(const auto ready, input.wait(kNoDeadline));
    if (ready == InputStream::Ready::stopped) return fail(Errc::interrupted, "interrupted", path);
    const size_t have = content.size();
    content.resize(have + (64 << 10));
    PG_ASSIGN(const size_t got, input.read(std::as_writable_bytes(std::span(content)).subspan(have)));
    content.resize(have + got);
    if (got == 0) return content;
    if (content.size() > most) return fail(Errc::limit, "file is larger than a record may be", path);
  }
}

namespace {

// The file that is replaced: where a link leads to, or the name itself.
std::string resolve_user_file(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  if (real) return real.get();
  return path.find('/') == std::string::npos ? fmt::format("./{}", path) : path;
}

// A device or a pipe; what can only be refused, a directory, too.
bool is_other_than_file(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode);
}

int may_write(const std::string& path) {
  struct stat st;
  if (stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return EISDIR;
  return access(path.c_str(), W_OK) == 0 ? 0 : errno;
}

int may_replace_in(const std::string& directory) { return access(directory.c_str(), W_OK | X_OK) == 0 ? 0 : errno; }

}  // namespace

Result<> check_user_file(const std::string& path) {
  const std::string file = resolve_user_file(path);
  const int error = is_other_than_file(path) ? may_write(path) : may_replace_in(file.substr(0, file.rfind('/') + 1));
  return error == 0 ? Result<>() : fail(Errc::io, "cannot write", path, {}, error);
}

Result<> write_user_file(FileSystem& files, const std::string& path, std::string_view content) {
  if (is_other_than_file(path)) {
    const UniqueFd fd(retry_eintr([&] { return open(path.c_str(), O_WRONLY | O_CLOEXEC); }));
    if (fd.get() < 0) return sys_fail("open", path);
    return OutputStream(fd.get(), path).write(as_bytes(content));
  }
  auto replaced = files.replace(resolve_user_file(path), content);
  if (!replaced) replaced.error().path = path;  // and not that of the temporary file
  return replaced;
}

}  // namespace pg
