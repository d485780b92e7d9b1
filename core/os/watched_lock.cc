#include "core/os/watched_lock.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>
#include <sstream>

#include "core/base/text.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

struct Named {
  dev_t device = 0;
  ino_t inode = 0;
};

// "3: OFDLCK ADVISORY  WRITE -1 fd:01:131074 7 9": device in hexadecimal, inode, first and last byte. The kernel joins
// neighbours. The line of a process that waits for a lock has an arrow behind the number.
bool is_held_by(const std::string& line, const Named& file, uint32_t byte) {
  std::istringstream fields(line);
  std::string number, kind, advisory, mode, pid, place, last;
  uint64_t first = 0;
  if (!(fields >> number >> kind >> advisory >> mode >> pid >> place >> first >> last) || kind != "OFDLCK" ||
      mode != "WRITE")
    return false;
  unsigned major_number = 0, minor_number = 0;
  unsigned long long inode = 0;
  if (sscanf(place.c_str(), "%x:%x:%llu", &major_number, &minor_number, &inode) != 3 || inode != file.inode)
    return false;
  // File systems without a device (btrfs, overlayfs) may show another number here than stat does.
  const bool same_device =
      makedev(major_number, minor_number) == file.device || (major(file.device) == 0 && major_number == 0);
  const auto end = last == "EOF" ? INT64_MAX : parse_integer(last).value_or(-1);
  return same_device && first <= byte && std::cmp_less_equal(byte, end);
}

class WatchedLock final : public LockFile {
 public:
  WatchedLock(std::string path, const struct stat& st) : LockFile(std::move(path)), st_(st) {}

  Result<bool> try_lock(uint32_t byte, LockMode mode) override {
    return lock(byte, mode, {}).map([] { return true; });
  }
  Result<> lock(uint32_t byte, LockMode mode, Deadline) override {
    if (mode == LockMode::shared) return {};
    errno = EACCES;
    return sys_fail("lock", path(), byte);
  }
  Result<> downgrade(uint32_t) override { return {}; }
  void unlock(uint32_t) override {}

  Result<bool> is_held(uint32_t byte) const override {
    static const std::string kLocks = "/proc/locks";
    std::ifstream locks(kLocks);
    if (!locks) return sys_fail("see who holds a lock", kLocks);
    for (std::string line; std::getline(locks, line);) {
      if (is_held_by(line, {st_.st_dev, st_.st_ino}, byte)) return true;
    }
    return false;
  }

  // Of the file that had the name when this was made; without links once another one has it.
  Result<FileInfo> info() const override {
    FileInfo info{static_cast<uint64_t>(st_.st_size), st_.st_nlink, st_.st_dev, st_.st_ino, S_ISDIR(st_.st_mode)};
    struct stat now;
    const int error = lstat(path().c_str(), &now) == 0 ? 0 : errno;
    if (error != 0 && error != ENOENT) return sys_fail("stat lock file", path());
    if (error == ENOENT || now.st_dev != st_.st_dev || now.st_ino != st_.st_ino) info.links = 0;
    return info;
  }

 private:
  const struct stat st_;
};

}  // namespace

Result<std::unique_ptr<LockFile>> watch_lock(const std::string& path) {
  struct stat st;
  if (lstat(path.c_str(), &st) != 0) return sys_fail("stat lock file", path);
  return std::make_unique<WatchedLock>(path, st);
}

}  // namespace pg
