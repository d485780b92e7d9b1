#include "core/os/mounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include <boost/filesystem/operations.hpp>

#include "core/base/text.h"
#include "core/os/file_system.h"
#include "core/os/system_file.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty()) return found;
    const size_t length = std::min(line.find_first_of(" \t"), line.size());
    found.push_back(line.substr(0, length));
    line.remove_prefix(length);
  }
}

// fstab and mountinfo write a blank in a name as \040.
std::string unescaped(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                        is_octal(text[i + 3]);
    plain +=
        escape ? static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0') : text[i];
    if (escape) i += 3;
  }
  return plain;
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_mounted(std::string_view mountinfo, std::string_view point) {
  constexpr size_t kMountPoint = 4;
  for (const auto line : split(mountinfo, '\n')) {
    const auto fields = words(line);
    if (fields.size() > kMountPoint && unescaped(fields[kMountPoint]) == point) return true;
  }
  return false;
}

constexpr const char* kMemory = "/dev/shm";

std::string notes_directory() { return std::string(kMemory) + "/pilgrimage-" + std::to_string(geteuid()); }

// Other users can make files in the same place, so a directory that another user owns or can write to is not believed.
bool open_notes() {
  const std::string path = notes_directory();
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return false;
  struct stat st;
  return lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

// `path` is absolute.
std::string resolve(const std::string& path) {
  boost::system::error_code error;
  const auto resolved = boost::filesystem::weakly_canonical(path, error);
  return error ? path : resolved.native();
}

std::optional<DirectoryIdentity> identify(const std::string& path) {
  struct statx st;
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &st) != 0 || !S_ISDIR(st.stx_mode))
    return std::nullopt;
  const int64_t born_ms =
      (st.stx_mask & STATX_BTIME) != 0 ? int64_t{st.stx_btime.tv_sec} * 1000 + st.stx_btime.tv_nsec / 1'000'000 : 0;
  return DirectoryIdentity{uint64_t{st.stx_dev_major} << 32 | st.stx_dev_minor, st.stx_ino, born_ms};
}

// Empty also without /proc, where nothing is known.
std::string find_unmounted(const std::string& path) {
  const std::string fstab = read_system_file("/etc/fstab"), mountinfo = read_system_file("/proc/self/mountinfo");
  if (fstab.empty() || mountinfo.empty()) return {};
  if (std::string point = unmounted_point(fstab, mountinfo, path); !point.empty()) return point;
  return unmounted_point(fstab, mountinfo, resolve(path));
}

}  // namespace

std::string unmounted_point(std::string_view fstab, std::string_view mountinfo, std::string_view path) {
  std::string innermost;
  for (const auto line : split(fstab, '\n')) {
    const auto fields = words(line);
    if (fields.size() < 2 || fields[0].starts_with('#')) continue;
    std::string point = unescaped(fields[1]);
    while (point.size() > 1 && point.ends_with('/')) point.pop_back();
    if (point.size() > 1 && point.starts_with('/') && is_at_or_below(path, point) && point.size() > innermost.size())
      innermost = point;
  }
  return innermost.empty() || is_mounted(mountinfo, innermost) ? std::string() : innermost;
}

Result<std::string> full_path(const std::string& path) {
  std::string whole = path;
  if (!path.starts_with('/')) {
    const std::unique_ptr<char, void (*)(void*)> here(getcwd(nullptr, 0), free);
    if (here == nullptr) return sys_fail("find the working directory of", path);
    whole = std::string(here.get()) + "/" + path;
  }
  std::string plain;
  for (const auto name : split(whole, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == "..")
      plain.erase(plain.empty() ? 0 : plain.rfind('/'));
    else
      plain.append("/").append(name);
  }
  return plain.empty() ? "/" : plain;
}

Mounts posix_mounts() { return {notes_directory(), open_notes, identify, resolve, find_unmounted}; }

}  // namespace pg
