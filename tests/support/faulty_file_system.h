// A file system that fails on demand: it passes every call on to another one, counts it, and lets a chosen one fail.
//
//   files.arm({.kind = Call::write, .nth = 3, .sys_errno = ENOSPC, .prefix_bytes = 10});
//
// A loop over nth, until fired() says that nothing failed any more, is how a test lets every call of an operation fail
// once. Unlocking and closing never fail, as they never do in the kernel. Thread-safe.
#pragma once

#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "core/os/file_system.h"

namespace pg {

enum class Call {
  open,
  open_lock,
  read,
  write,
  truncate,
  sync,
  file_info,
  map,
  lock,
  info,
  list,
  make_directory,
  rename,
  link,
  unlink,
  remove_directory,
  sync_directory,
  remote_type,
};

struct FaultPlan {
  std::optional<Call> kind = {};  // empty: any call
  int64_t nth = 1;                // of those made from now on
  int sys_errno = EIO;
  std::optional<size_t> prefix_bytes = {};  // a write that fails has written so many of its bytes first
  bool for_ever = false;                    // not only the nth call fails, but every later one too
};

class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& real) : real_(real) {}

  void arm(const FaultPlan& plan);
  void disarm();
  // `act` is called before each call, but not before those that it makes itself: what others do meanwhile. Before it
  // has begun nothing has happened of the call. For tests of one thread.
  void before_call(std::function<void(Call kind, const std::string& path)> act) { before_call_ = std::move(act); }
  // How many calls have failed since arm().
  int64_t fired() const;
  // The file or directory of the last one.
  std::string fired_path() const;
  // How large that file was then; 0: empty, not there, or a directory.
  uint64_t fired_bytes() const;
  // How many calls of this kind there were since the beginning, failed or not.
  int64_t calls(Call kind) const;

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
  class FaultyFile;
  class FaultyLockFile;

  // Counts one call; the plan, if this is the call that it is for.
  std::optional<FaultPlan> count(Call kind, const std::string& path);
  // The same as a result.
  Result<> pass(Call kind, const std::string& path);

  FileSystem& real_;
  std::function<void(Call, const std::string&)> before_call_;
  bool acting_ = false;
  mutable std::mutex mutex_;  // guards everything below
  std::map<Call, int64_t> calls_;
  std::optional<FaultPlan> plan_;
  int64_t matching_calls_ = 0;  // since arm()
  int64_t fired_ = 0;
  std::string fired_path_;
  uint64_t fired_bytes_ = 0;
};

}  // namespace pg
