// Where directories lie: which mount points are not mounted, which directory a path named before, and a place for notes
// that last as long as this boot. For a process that is about to make a directory where one should exist already.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace pg {

// Tells a directory from others that were at its path before, or were mounted there.
struct DirectoryIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t born_ms = 0;  // 0: the file system does not say
  bool operator==(const DirectoryIdentity&) const = default;
};

struct Mounts {
  // A directory of this user's in memory. Empty: there is none. open_notes() makes and checks it; false: it belongs to
  // another user, or cannot be made.
  std::string notes;
  std::function<bool()> open_notes = [] { return false; };
  // Symbolic links are followed. Empty: there is no such directory.
  std::function<std::optional<DirectoryIdentity>(const std::string& path)> identify = [](const std::string&) {
    return std::nullopt;
  };
  // `path`, an absolute one, with the symbolic links of what exists of it resolved.
  std::function<std::string(const std::string& path)> resolve = [](const std::string& path) { return path; };
  // The mount point of /etc/fstab at `path`, or above it, that is not mounted. Links are followed. Empty: there is
  // none.
  std::function<std::string(const std::string& path)> unmounted = [](const std::string&) { return std::string(); };
};

Mounts posix_mounts();

// `path` from the root on, without ".", ".." and doubled slashes. Links are not looked at.
Result<std::string> full_path(const std::string& path);

// The innermost mount point in the text of /etc/fstab that `path` lies at or below, unless the text of
// /proc/self/mountinfo names it too. Empty: there is none.
std::string unmounted_point(std::string_view fstab, std::string_view mountinfo, std::string_view path);

}  // namespace pg
