// The real file system, on POSIX calls, Boost.Filesystem (directory listing) and Boost.Interprocess (mapping).
#pragma once

#include "core/os/file_system.h"

namespace pg {

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<LockFile>> open_lock(const std::string& path, Access access) override;
  Result<FileInfo> info(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<> make_directory(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> link(const std::string& existing, const std::string& name) override;
  Result<> unlink(const std::string& path) override;
  Result<> remove_directory(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::string> remote_type(const std::string& path) override;
};

}  // namespace pg
