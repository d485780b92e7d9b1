// A file system that knows what a power cut may leave of it: it passes every call on to another one and keeps, beside
// it, what has reached the disk and what has not.
//
//   PowerCut power(memory, "/root");          // all that is there counts as durable
//   power.before_change([&] { … power.leave(survivor, random); … });
//
// What may be left, each change for itself and in any order:
//
//  * of a file, what was written before its last successful sync, and of each later write any of its 512-byte sectors;
//    a file may be longer without the bytes that made it so: then these are zero. A cut is kept or lost.
//  * of a directory, the names that it had at its last sync, and any of the later creations, removals and renames. A
//    rename is one change.
//  * what a failed sync of a file was to write: the next sync that succeeds says nothing about it, as the kernel has
//    dropped it. Directories are in a journal, and a file system that loses that takes no more calls.
//
// Not modelled: what is stored through a map. The only map, the state page, is not believed after a restart; for a
// machine that goes on see old_pages.h. Renames stay in one directory. One thread. Handles must not outlive it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/os/file_system.h"
#include "tests/support/seeded_random.h"

namespace pg {

class PowerCut final : public FileSystem {
 public:
  // `root` is a directory of `files`; nothing outside is touched. With `calls`, a file system that shows the same files
  // and may fail, calls go through that one.
  PowerCut(FileSystem& files, std::string root, FileSystem* calls = nullptr);

  // `hook` is called before every call that changes what leave() may choose from.
  void before_change(std::function<void()> hook) { hook_ = std::move(hook); }

  // Fills the root directory of another, empty file system with one legal choice.
  void leave(FileSystem& survivor, SeededRandom& random) const;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<LockFile>> open_lock(const std::string& path, Access access) override;
  Result<FileInfo> info(const std::string& path) override { return real_.info(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return real_.list(directory); }
  Result<> make_directory(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> link(const std::string& existing, const std::string& name) override;
  Result<> unlink(const std::string& path) override;
  Result<> remove_directory(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::string> remote_type(const std::string& path) override { return real_.remote_type(path); }

 private:
  class WatchedFile;
  class Survivors;
  using Inode = uint64_t;

  struct ContentChange {
    uint64_t position = 0;
    std::string bytes;         // written at `position`, or
    bool is_cut = false;       // the file ends at `position`
    bool is_doubtful = false;  // a sync failed
  };
  struct FileState {
    std::string durable;
    std::vector<ContentChange> pending;
  };
  struct NameChange {
    std::string removed, added;  // either may be empty; both: a rename
    Inode inode = 0;
  };
  struct DirectoryState {
    std::map<std::string, Inode> durable;
    std::vector<NameChange> pending;
  };

  static void apply(const ContentChange& change, std::string& content);
  static void apply(const NameChange& change, std::map<std::string, Inode>& names);
  void settle(FileState& file, bool synced);
  static void settle(DirectoryState& directory, bool synced);

  void take_as_durable(const std::string& path);
  void changing() {
    if (hook_) hook_();
  }
  Inode inode_of(const std::string& path);
  void note(const std::string& directory, NameChange change);

  FileSystem& truth_;  // what is there, whatever fails
  FileSystem& real_;
  std::string root_;
  std::function<void()> hook_;
  SeededRandom fate_;  // of what was dropped
  std::map<Inode, FileState> files_;
  std::map<Inode, DirectoryState> directories_;
};

}  // namespace pg
