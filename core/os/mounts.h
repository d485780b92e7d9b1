// Where directories lie: which mount points are empty, which directory a path meant before, and a place for notes that last as
// long as this boot. For who is about to make a directory where there should be one already.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace pg {

// What tells a directory from others that stood, or were mounted, at its path.
struct DirectoryIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t born_ms = 0;  // 0: the file system does not say
  bool operator==(const DirectoryIdentity&) const = default;
};

struct Mounts {
  // A directory of this user's in memory. Empty: there is none. It is made and looked at by open_notes(), which is false where it
  // is somebody else's or cannot be had.
  std::string notes;
  std::function<bool()> open_notes = [] { return false; };
  // Symbolic links are followed. Empty: there is no such directory.
  std::function<std::optional<DirectoryIdentity>(const std::string& path)> identify = [](const std::string&) { return std::nullopt; };
  // The mount point of /etc/fstab at `path` or above it that is not mounted; empty: there is none.
  std::function<std::string(const std::string& path)> unmounted = [](const std::string&) { return std::string(); };
};

Mounts posix_mounts();

// `path` from the root on, without ".", ".." and doubled slashes. Links are not looked at.
Result<std::string> full_path(const std::string& path);

// The innermost mount point in the text of /etc/fstab that `path` lies at or below, unless the text of /proc/self/mountinfo
// names it too. Empty: there is none.
std::string unmounted_point(std::string_view fstab, std::string_view mountinfo, std::string_view path);

}  // namespace pg
