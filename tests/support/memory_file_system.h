// A file system in memory that behaves as the real one does, as far as file_system.h promises anything: the same error
// codes, hard links, handles that outlive their names, and locks between LockFile objects. tests/unit/os holds both to
// one set of tests.
//
// Not modelled: symbolic links, permissions, and what a power cut leaves. A read-only map is not protected.
//
// Thread-safe. Handles must not outlive it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/os/clock.h"
#include "core/os/file_system.h"

namespace pg {

class MemoryFileSystem final : public FileSystem {
 public:
  // `clock` is the one that the deadlines of lock() are on.
  explicit MemoryFileSystem(Clock& clock);
  ~MemoryFileSystem() override;

  // What remote_type() answers for every path.
  void pretend_remote(std::string type);

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

 private:
  struct Node;
  class OpenFile;
  class OpenLockFile;
  using NodePointer = std::shared_ptr<Node>;

  // A name's place: the directory, the last component, and the node it names, if any.
  struct Entry {
    NodePointer directory;
    std::string name;
    NodePointer node;
  };

  // 0 or an errno. `entry.node` may be empty on success.
  int find(const std::string& path, Entry& entry);
  // The same; ENOENT where there is nothing.
  int find_existing(const std::string& path, Entry& entry);
  NodePointer make_node(bool is_directory);
  NodePointer add(const Entry& entry, NodePointer node);

  Clock& clock_;
  std::mutex mutex_;  // guards every node and everything below
  std::condition_variable lock_released_;
  NodePointer root_;
  uint64_t next_inode_ = 2;
  std::string remote_type_;
};

}  // namespace pg
