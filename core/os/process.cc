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
#include <sstream>
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

// Calls `visit` with inode and first byte of each open-file-description lock that the process holds: of lines
// "lock:	1: OFDLCK ADVISORY  WRITE -1 fd:01:131074 7 7" of /proc/PID/fdinfo/FD.
template <typename Visit>
void for_each_lock(int32_t pid, Visit visit) {
  const std::string directory = fmt::format("/proc/{}/fdinfo", pid);
  for (const int32_t fd : numbers_in(directory)) {
    std::istringstream lines(read_small(fmt::format("{}/{}", directory, fd)));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("lock:") || line.find("OFDLCK") == std::string::npos) continue;
      std::istringstream tail(line.substr(line.rfind(':') + 1));
      uint64_t inode = 0, first_byte = 0;
      if (tail >> inode >> first_byte) visit(inode, first_byte);
    }
  }
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

LockHolders kill_lock_holders(const FileInfo& lock_file, uint32_t byte, const FileInfo& spare) {
  LockHolders result;
  std::vector<int32_t> found;
  bool spared = false;
  for (const int32_t pid : numbers_in("/proc")) {
    bool holds = false, has_spare = false;
    if (pid == getpid()) continue;
    for_each_lock(pid, [&](uint64_t inode, uint64_t first_byte) {
      holds |= inode == lock_file.inode && first_byte == byte;
      has_spare |= inode == spare.inode;
    });
    if (holds) found.push_back(pid);
    spared |= holds && has_spare;
  }
  result.seen = static_cast<int>(found.size());
  if (spared) return result;
  for (const int32_t pid : found) result.killed += send_kill(pid, {}) ? 1 : 0;
  return result;
}

}  // namespace pg
