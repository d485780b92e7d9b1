#include "core/os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
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

// Whether the process has only this user's rights: its real, effective and saved user in /proc/PID/status. A process
// that another user started, or that has another user's rights, does not count.
bool is_own(int32_t pid) {
  std::istringstream status(read_small(fmt::format("/proc/{}/status", pid)));
  for (std::string line; std::getline(status, line);) {
    std::istringstream fields(line);
    std::string name;
    uid_t real = 0, effective = 0, saved = 0;
    if (!(fields >> name) || name != "Uid:") continue;
    return (fields >> real >> effective >> saved) && real == geteuid() && effective == geteuid() && saved == geteuid();
  }
  return false;
}

UniqueFd open_process(int32_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool send_signal(const UniqueFd& process, int signal) {
  return syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

struct LockedRange {
  uint64_t first = 0, last = 0;
  bool exclusive = false;
  bool holds(uint32_t byte) const { return first <= byte && byte <= last; }
};

bool is_file(const std::string& path, const FileInfo& file) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && st.st_dev == file.device && st.st_ino == file.inode;
}

// The open-file-description locks that the process holds on a file: of lines
// "lock:	1: OFDLCK ADVISORY  WRITE -1 fd:01:131074 7 9" of /proc/PID/fdinfo/FD. The kernel joins neighbours.
std::vector<LockedRange> locks_of(int32_t pid, const FileInfo& file) {
  std::vector<LockedRange> locks;
  for (const int32_t fd : numbers_in(fmt::format("/proc/{}/fd", pid))) {
    if (!is_file(fmt::format("/proc/{}/fd/{}", pid, fd), file)) continue;
    std::ifstream lines(fmt::format("/proc/{}/fdinfo/{}", pid, fd));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("lock:") || line.find("OFDLCK") == std::string::npos) continue;
      std::istringstream tail(line.substr(line.rfind(':') + 1));
      uint64_t inode = 0, first = 0;
      std::string last;
      const bool exclusive = line.find(" WRITE ") != std::string::npos;
      if (tail >> inode >> first >> last)
        locks.push_back({first, static_cast<uint64_t>(parse_integer(last).value_or(INT64_MAX)), exclusive});
    }
  }
  return locks;
}

bool holds(int32_t pid, const FileInfo& file, uint32_t byte) {
  const auto locks = locks_of(pid, file);
  return std::any_of(locks.begin(), locks.end(),
                     [&](const LockedRange& range) { return range.exclusive && range.holds(byte); });
}

// The processes of this user that hold one of the bytes, except those that share one with a process that is to be
// spared.
struct Holders {
  std::set<int32_t> own, doomed;
};

Holders find_holders(const FileInfo& lock_file, const std::set<uint32_t>& bytes, const FileInfo& spare) {
  std::map<uint32_t, std::set<int32_t>> by_byte;
  std::set<int32_t> spared;
  for (const int32_t pid : numbers_in("/proc")) {
    if (pid == getpid()) continue;
    const auto locks = locks_of(pid, lock_file);
    if (locks.empty()) continue;
    for (const uint32_t byte : bytes) {
      if (std::any_of(locks.begin(), locks.end(), [&](const LockedRange& range) { return range.holds(byte); }))
        by_byte[byte].insert(pid);
    }
    if (!locks_of(pid, spare).empty()) spared.insert(pid);
  }
  Holders holders;
  for (const auto& [byte, pids] : by_byte) {
    std::set<int32_t> own;
    std::copy_if(pids.begin(), pids.end(), std::inserter(own, own.end()), is_own);
    holders.own.insert(own.begin(), own.end());
    const bool is_spared = std::any_of(pids.begin(), pids.end(), [&](int32_t pid) { return spared.contains(pid); });
    if (!is_spared) holders.doomed.insert(own.begin(), own.end());
  }
  return holders;
}

uint64_t pid_namespace() {
  struct stat st;
  return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

}  // namespace

ProcessInfo this_process() { return {getpid(), pid_namespace()}; }

ProcessIdentity this_process_identity() { return {this_process(), start_time_of(getpid())}; }

bool kill_lock_holder(const ProcessIdentity& process, const FileInfo& lock_file, uint32_t byte) {
  if (process.pid <= 1 || process.pid == getpid() || process.pid_namespace != pid_namespace()) return false;
  // The descriptor stays with one process: once it is open, the checks cannot be about another one.
  const UniqueFd opened = open_process(process.pid);
  return opened.get() >= 0 && start_time_of(process.pid) == process.start_time && is_own(process.pid) &&
         holds(process.pid, lock_file, byte) && send_signal(opened, SIGKILL);
}

LockHolders kill_lock_holders(const FileInfo& lock_file, const std::set<uint32_t>& bytes, const FileInfo& spare) {
  const Holders first = find_holders(lock_file, bytes, spare);
  LockHolders result{static_cast<int>(first.own.size()), 0};
  if (first.doomed.empty()) return result;
  std::map<int32_t, UniqueFd> opened;
  for (const int32_t pid : first.doomed) opened.emplace(pid, open_process(pid));
  // Once more, now that no number can become another process's, and since a member may have come with its command.
  const Holders second = find_holders(lock_file, bytes, spare);
  for (const auto& [pid, process] : opened) {
    if (process.get() >= 0 && second.doomed.contains(pid)) result.killed += send_signal(process, SIGKILL) ? 1 : 0;
  }
  return result;
}

std::optional<int32_t> lock_holder(const FileInfo& lock_file, uint32_t byte) {
  for (const int32_t pid : numbers_in("/proc")) {
    if (holds(pid, lock_file, byte)) return pid;
  }
  return std::nullopt;
}

Result<std::optional<int32_t>> terminate_lock_holder(const FileInfo& lock_file, uint32_t byte) {
  const auto pid = lock_holder(lock_file, byte);
  if (!pid) return std::nullopt;
  const UniqueFd opened = open_process(*pid);
  // Once more, now that its number can become no other process's.
  if (opened.get() < 0 || !holds(*pid, lock_file, byte)) return std::nullopt;
  if (!send_signal(opened, SIGTERM)) return sys_fail(fmt::format("stop process {}", *pid).c_str(), "");
  return pid;
}

}  // namespace pg
