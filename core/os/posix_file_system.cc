#include "core/os/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>

#include <boost/interprocess/mapped_region.hpp>

#include "core/os/posix_lock_file.h"
#include "core/os/posix_open.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

namespace bip = boost::interprocess;

FileInfo to_info(const struct stat& st) {
  const int64_t changed_ms = int64_t{st.st_ctim.tv_sec} * 1000 + st.st_ctim.tv_nsec / 1'000'000;
  return {static_cast<uint64_t>(st.st_size),
          st.st_nlink,
          st.st_dev,
          st.st_ino,
          S_ISDIR(st.st_mode),
          changed_ms,
          0,
          kind_of(st.st_mode)};
}

FileInfo to_info(const struct statx& st) {
  const int64_t changed_ms = st.stx_ctime.tv_sec * 1000 + st.stx_ctime.tv_nsec / 1'000'000;
  const bool is_born_known = (st.stx_mask & STATX_BTIME) != 0;
  const int64_t born_ns = is_born_known ? st.stx_btime.tv_sec * 1'000'000'000 + st.stx_btime.tv_nsec : 0;
  return {st.stx_size, st.stx_nlink,         makedev(st.stx_dev_major, st.stx_dev_minor),
          st.stx_ino,  S_ISDIR(st.stx_mode), changed_ms,
          born_ns,     kind_of(st.stx_mode)};
}

// What Boost.Interprocess maps: anything that can name its descriptor. Its own file_mapping would open the path a
// second time, and the path may by then name another file.
struct Mappable {
  int fd;
  bip::mapping_handle_t get_mapping_handle() const { return bip::ipcdetail::mapping_handle_from_file_handle(fd); }
};

class PosixMapping final : public Mapping {
 public:
  explicit PosixMapping(bip::mapped_region region) : region_(std::move(region)) {}
  std::byte* data() const override { return static_cast<std::byte*>(region_.get_address()); }

 private:
  bip::mapped_region region_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, UniqueFd fd) : File(std::move(path)), fd_(std::move(fd)) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override {
    size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retry_eintr([&] {
        return pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(position + done));
      });
      if (got < 0) return sys_fail("read", path(), static_cast<int64_t>(position + done));
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<> write_at(uint64_t position, ByteView bytes) override {
    for (Tries tries; !bytes.empty();) {
      const ssize_t put =
          retry_eintr([&] { return pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(position)); });
      if (put < 0) return sys_fail("write", path(), static_cast<int64_t>(position));
      if (put == 0 && !tries.again()) return nothing_written(path(), static_cast<int64_t>(position));
      if (put > 0) tries.made_progress();
      position += static_cast<uint64_t>(put);
      bytes = bytes.subspan(static_cast<size_t>(put));
    }
    return {};
  }

  Result<> truncate(uint64_t size_bytes) override {
    if (retry_eintr([&] { return ftruncate(fd_.get(), static_cast<off_t>(size_bytes)); }) != 0) {
      return sys_fail("truncate", path(), static_cast<int64_t>(size_bytes));
    }
    return {};
  }

  Result<> sync() override {
    if (retry_eintr([&] { return fdatasync(fd_.get()); }) != 0) return sys_fail("flush to disk", path());
    return {};
  }

  Result<FileInfo> info() const override {
    struct stat st;
    if (fstat(fd_.get(), &st) != 0) return sys_fail("stat", path());
    return to_info(st);
  }

  Result<std::unique_ptr<Mapping>> map(size_t length, Access access) const override {
    try {
      const auto mode = access == Access::read_only ? bip::read_only : bip::read_write;
      return std::make_unique<PosixMapping>(bip::mapped_region(Mappable{fd_.get()}, mode, 0, length));
    } catch (const bip::interprocess_exception& e) {
      errno = e.get_native_error();
      return sys_fail("map", path());
    }
  }

 private:
  UniqueFd fd_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// Known to be local, with locks, shared maps and hard links that work. Numbers that <linux/magic.h> lacks
// are from statfs(2). The last ones can only be read.
constexpr uint32_t kLocalTypes[] = {EXT4_SUPER_MAGIC,
                                    XFS_SUPER_MAGIC,
                                    BTRFS_SUPER_MAGIC,
                                    TMPFS_MAGIC,
                                    RAMFS_MAGIC,
                                    OVERLAYFS_SUPER_MAGIC,
                                    F2FS_SUPER_MAGIC,
                                    0x2fc12fc1 /* ZFS */,
                                    0xca451a4e /* bcachefs */,
                                    0x3153464a /* JFS */,
                                    REISERFS_SUPER_MAGIC,
                                    NILFS_SUPER_MAGIC,
                                    0x24051905 /* UBIFS */,
                                    ECRYPTFS_SUPER_MAGIC,
                                    SQUASHFS_MAGIC,
                                    0xe0f5e1e2 /* EROFS */,
                                    ISOFS_SUPER_MAGIC};

struct NamedType {
  uint32_t magic;
  const char* name;
};

// For messages.
constexpr NamedType kOtherTypes[] = {
    {NFS_SUPER_MAGIC, "NFS"},   {SMB_SUPER_MAGIC, "SMB"},   {CIFS_SUPER_MAGIC, "SMB"},    {SMB2_SUPER_MAGIC, "SMB"},
    {FUSE_SUPER_MAGIC, "FUSE"}, {CEPH_SUPER_MAGIC, "Ceph"}, {0x0bd00bd0, "Lustre"},       {V9FS_MAGIC, "9p"},
    {AFS_SUPER_MAGIC, "AFS"},   {AFS_FS_MAGIC, "AFS"},      {OCFS2_SUPER_MAGIC, "OCFS2"}, {0x01161970, "GFS2"},
    {0x47504653, "GPFS"},       {0x19830326, "BeeGFS"},     {0x20030528, "OrangeFS"},     {0x786f4256, "vboxsf"},
    {MSDOS_SUPER_MAGIC, "FAT"}, {0x2011bab0, "exFAT"},      {0x7366746e, "NTFS"},         {PROC_SUPER_MAGIC, "proc"},
    {SYSFS_MAGIC, "sysfs"}};

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenMode mode) {
  const int flags = flags_of(mode) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  UniqueFd fd(retry_eintr([&] { return ::open(path.c_str(), flags, 0666); }));
  if (fd.get() < 0) return cannot_open("open", path);
  PG_CHECK(check_is_file(fd.get(), path));
  return std::make_unique<PosixFile>(path, std::move(fd));
}

Result<std::unique_ptr<LockFile>> PosixFileSystem::open_lock(const std::string& path, Access access) {
  return open_posix_lock(path, access);
}

Result<FileInfo> PosixFileSystem::info(const std::string& path) {
  struct statx found;
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &found) == 0)
    return to_info(found);
  if (errno != ENOSYS && errno != EPERM) return sys_fail("stat", path);
  struct stat st;  // an older container runtime refuses statx
  if (lstat(path.c_str(), &st) != 0) return sys_fail("stat", path);
  return to_info(st);
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
  // Not Boost's iterator, which makes a path of each name: that took a twentieth of a tool's start.
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (!stream) return sys_fail("list directory", directory);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return sys_fail("list directory", directory);
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Result<> PosixFileSystem::make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0) return sys_fail("make directory", path);
  return {};
}

Result<> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return sys_fail("rename", from);
  return {};
}

Result<> PosixFileSystem::link(const std::string& existing, const std::string& name) {
  if (::link(existing.c_str(), name.c_str()) != 0) return sys_fail("link", name);
  return {};
}

Result<> PosixFileSystem::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return sys_fail("delete", path);
  return {};
}

Result<> PosixFileSystem::remove_directory(const std::string& path) {
  if (rmdir(path.c_str()) != 0) return sys_fail("delete directory", path);
  return {};
}

Result<> PosixFileSystem::sync_directory(const std::string& path) {
  UniqueFd fd(retry_eintr([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (fd.get() < 0) return sys_fail("open directory", path);
  if (retry_eintr([&] { return fsync(fd.get()); }) != 0) return sys_fail("flush directory to disk", path);
  return {};
}

Result<std::string> PosixFileSystem::remote_type(const std::string& path) {
  struct statfs st;
  if (retry_eintr([&] { return statfs(path.c_str(), &st); }) != 0) return sys_fail("find the file system of", path);
  const auto magic = static_cast<uint32_t>(st.f_type);
  if (std::find(std::begin(kLocalTypes), std::end(kLocalTypes), magic) != std::end(kLocalTypes)) return std::string();
  for (const auto& [other, name] : kOtherTypes) {
    if (magic == other) return std::string(name);
  }
  return fmt::format("a file system of type {:#x}", magic);
}

}  // namespace pg
