#include "core/os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

// A small file of /proc; empty if it cannot be read.
std::string read_small(const std::string& path) {
  const UniqueFd fd(retry_eintr([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (fd.get() < 0) return {};
  std::array<char, 4096> text;
  const ssize_t got = retry_eintr([&] { return read(fd.get(), text.data(), text.size()); });
  return got > 0 ? std::string(text.data(), static_cast<size_t>(got)) : std::string();
}

// The numbers that are names in `directory`: processes, or descriptors.
std::vector<int32_t> numbers_in(const std::string& directory) {
  std::vector<int32_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
    if (const auto number = parse_integer(entry->d_name)) numbers.push_back(static_cast<int32_t>(*number));
  }
  return numbers;
}

// Field 22 of /proc/PID/stat. Field 2 is the command's name in parentheses, which may hold anything.
uint64_t start_time_of(int32_t pid) {
  const std::string stat = read_small(fmt::format("/proc/{}/stat", pid));
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  const size_t end = stat.find(' ', at + 1);
  return static_cast<uint64_t>(parse_integer(std::string_view(stat).substr(at + 1, end - at - 1)).value_or(0));
}

bool send_kill(int32_t pid, std::optional<uint64_t> start_time) {
  // The descriptor names one process: once it is open, looking at the start time cannot be overtaken.
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0 || (start_time && start_time_of(pid) != *start_time)) return false;
  return syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

// Whether a line of /proc/PID/fdinfo/FD says that `byte` of the file is locked through that descriptor:
// "lock:	1: OFDLCK ADVISORY  WRITE -1 fd:01:131074 7 7", with device, inode, first and last byte.
bool locks_byte(std::string_view line, uint64_t inode, uint32_t byte) {
  if (!line.starts_with("lock:") || line.find("OFDLCK") == std::string_view::npos) return false;
  const std::string_view tail = line.substr(line.rfind(':') + 1);
  return tail == fmt::format("{} {} {}", inode, byte, byte);
}

bool process_locks(int32_t pid, uint64_t inode, uint32_t byte) {
  const std::string directory = fmt::format("/proc/{}/fdinfo", pid);
  for (const int32_t fd : numbers_in(directory)) {
    const std::string text = read_small(fmt::format("{}/{}", directory, fd));
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size() - 1);
      if (locks_byte(rest.substr(0, end), inode, byte)) return true;
      rest.remove_prefix(end + 1);
    }
  }
  return false;
}

uint64_t pid_namespace() {
  struct stat st;
  return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

}  // namespace

ProcessInfo this_process() { return {getpid(), pid_namespace()}; }

ProcessIdentity this_process_identity() { return {this_process(), start_time_of(getpid())}; }

bool kill_process(const ProcessIdentity& process) {
  if (process.pid <= 1 || process.pid == getpid() || process.pid_namespace != pid_namespace()) return false;
  return send_kill(process.pid, process.start_time);
}

int kill_lock_holders(const FileInfo& lock_file, uint32_t byte) {
  int killed = 0;
  for (const int32_t pid : numbers_in("/proc")) {
    if (pid == getpid() || !process_locks(pid, lock_file.inode, byte)) continue;
    killed += send_kill(pid, {}) ? 1 : 0;
  }
  return killed;
}

}  // namespace pg
