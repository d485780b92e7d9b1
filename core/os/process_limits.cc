#include "core/os/process_limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>

namespace pg {
namespace {

// Empty: it is not limited.
std::string limit_text(int resource, const char* of_what, const char* option) {
  rlimit limit;
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  return fmt::format(", at the limit of {} {}, which 'ulimit {}' shows and sets", limit.rlim_cur, of_what, option);
}

}  // namespace

std::string memory_limit() {
  const std::string addresses = limit_text(RLIMIT_AS, "bytes of memory for a process", "-v");
  return addresses.empty() ? limit_text(RLIMIT_DATA, "bytes of data for a process", "-d") : addresses;
}

std::string limit_met(int sys_errno) {
  switch (sys_errno) {
    case EMFILE:
      return limit_text(RLIMIT_NOFILE, "open files for a process", "-n");
    case ENFILE:
      return ", at the system's limit of open files, which 'sysctl fs.file-max' shows and sets";
    case EFBIG:
      return limit_text(RLIMIT_FSIZE, "bytes for a file", "-f");
    case EAGAIN:
      return limit_text(RLIMIT_NPROC, "processes for a user",
                        "-u");  // of those that are reported, only a new process's
    case ENOMEM:
      return memory_limit();
    default:
      return {};
  }
}

}  // namespace pg
