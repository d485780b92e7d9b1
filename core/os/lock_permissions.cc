#include "core/os/lock_permissions.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>

namespace pg {
namespace {

constexpr const char* kAccessList = "system.posix_acl_access";
constexpr const char* kDefaultList = "system.posix_acl_default";
constexpr mode_t kRead = 4, kWrite = 2;

// The umask from /proc, since Linux 4.7: umask(2) would have to change it, which other threads would notice.
mode_t current_umask() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    unsigned mask = 0;
    if (word == "Umask:" && status >> std::oct >> mask) return mask;
  }
  return 077;
}

mode_t without_lone_reading(mode_t mode) {
  for (const int shift : {0, 3}) {  // others, the group
    if ((mode & (kWrite << shift)) == 0) mode &= ~(kRead << shift);
  }
  return mode;
}

// The list as the kernel gives it: 4 bytes of version, then tag, permissions (16 bits each) and id (32 bits),
// little-endian. The entries of the owner and the mask stay; what the mask forbids cannot be read either.
bool drop_lone_reading(uint8_t* list, size_t bytes) {
  constexpr size_t kHeader = 4, kEntry = 8;
  constexpr uint16_t kOwner = 0x01, kMask = 0x10;
  bool changed = false;
  for (size_t at = kHeader; at + kEntry <= bytes; at += kEntry) {
    const auto tag = static_cast<uint16_t>(list[at] | list[at + 1] << 8);
    uint8_t& permissions = list[at + 2];
    if (tag == kOwner || tag == kMask || (permissions & kRead) == 0 || (permissions & kWrite) != 0) continue;
    permissions = static_cast<uint8_t>(permissions & ~kRead);
    changed = true;
  }
  return changed;
}

}  // namespace

mode_t mode_of_new_lock(const std::string& path) {
  // A default list takes the place of the umask, for the kernel too; keep_readers_out does the rest.
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  if (getxattr(directory.c_str(), kDefaultList, nullptr, 0) > 0) return 0666;
  return without_lone_reading(0666 & ~current_umask());
}

void keep_readers_out(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0 || (st.st_uid != geteuid() && geteuid() != 0)) return;
  std::array<uint8_t, 4096> list;
  const ssize_t bytes = fgetxattr(fd, kAccessList, list.data(), list.size());
  if (bytes > 0) {
    if (drop_lone_reading(list.data(), static_cast<size_t>(bytes)))
      (void)fsetxattr(fd, kAccessList, list.data(), static_cast<size_t>(bytes), 0);
    return;
  }
  const mode_t mode = st.st_mode & 07777, wanted = without_lone_reading(mode);
  if (wanted != mode) (void)fchmod(fd, wanted);
}

}  // namespace pg
