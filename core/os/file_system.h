// The file system as core sees it. PosixFileSystem is the real one; tests/support has one in memory and one that fails
// on demand. Everything above core/os reaches files, maps and file locks only through these classes.
//
// Every error names the path and carries errno. EINTR is handled inside. Handles are closed by their destructors, are
// never inherited by child processes, and never follow a symbolic link in the last component of a path. A directory, a
// symbolic link, a FIFO, a socket or a device is not opened as a file and never waited for (io).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/types.h"

namespace pg {

// The kind of what a name leads to.
enum class FileKind { file, directory, symbolic_link, fifo, socket, device };
const char* name_of(FileKind kind);  // "a FIFO"
// The error for something else in the place of a file or a directory of ours.
Error wrong_kind(FileKind kind, FileKind expected, const std::string& path);

// What stat(2) knows of a file.
struct FileInfo {
  uint64_t size_bytes = 0;
  uint64_t links = 0;  // 0: the file was unlinked or replaced while it was open
  uint64_t device = 0;
  uint64_t inode = 0;
  bool is_directory = false;
  int64_t changed_ms = 0;  // when its content or its name last changed, by the machine's wall clock
  int64_t born_ns = 0;     // when it was made; 0: unknown, and always from File::info(), which must be cheap
  FileKind kind = is_directory ? FileKind::directory : FileKind::file;
};

// How a file is opened.
enum class OpenMode {
  read,        // must exist
  write,       // read and write; must exist
  create,      // read and write; made if missing
  create_new,  // read and write; already_exists if there
};

// A mapped range of a file, shared with every process that maps it. Writable only if its file was opened for writing.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::byte* data() const = 0;
};

// An open file. Positional calls may be used from several threads at once.
class File {
 public:
  virtual ~File() = default;
  const std::string& path() const { return path_; }

  // Reads up to into.size() bytes at `position`; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t position, MutableBytes into) const = 0;
  // Writes all of `bytes` or fails; after a failure any prefix of them may be in the file.
  virtual Result<> write_at(uint64_t position, ByteView bytes) = 0;
  virtual Result<> truncate(uint64_t size_bytes) = 0;
  // Returns when the data, and the metadata needed to read it, are on stable storage. A failure is final: the data may
  // be gone even if a later call succeeds.
  virtual Result<> sync() = 0;
  virtual Result<FileInfo> info() const = 0;
  // Maps the first `length` bytes, which the file must have.
  virtual Result<std::unique_ptr<Mapping>> map(size_t length, Access access) const = 0;

 protected:
  explicit File(std::string path) : path_(std::move(path)) {}

 private:
  std::string path_;
};

// How many processes may hold a lock at once: any number, or one.
enum class LockMode { shared, exclusive };

// A file whose bytes are locks (Linux open-file-description locks). The kernel releases them when the holder ends or
// closes the file. No code opens a lock file for another purpose. Two LockFiles on one file, in one process or in
// several, exclude each other through the kernel; threads that share one LockFile exclude each other by its own table.
class LockFile {
 public:
  virtual ~LockFile() = default;
  const std::string& path() const { return path_; }

  // False if somebody else holds it in a conflicting mode, or a thread holds it exclusively through this LockFile. A
  // byte this LockFile holds shared is converted.
  virtual Result<bool> try_lock(uint32_t byte, LockMode mode) = 0;
  // Waits until `deadline`: then timed_out. A stop signal ends the wait with `interrupted`, after a moment.
  virtual Result<> lock(uint32_t byte, LockMode mode, Deadline deadline) = 0;
  // From exclusive to shared, with no moment in between.
  virtual Result<> downgrade(uint32_t byte) = 0;
  virtual void unlock(uint32_t byte) = 0;
  // Whether anybody else, in this process or another, holds the byte exclusively. Looks, and takes nothing. A shared
  // lock does not count: a process that can only read may hold one.
  virtual Result<bool> is_held(uint32_t byte) const = 0;
  virtual Result<FileInfo> info() const = 0;
  // For core/os/child_process: a child that inherits it keeps what is locked until it, and all that inherit it in turn,
  // have ended. -1: there is none, because this is no file of the kernel's.
  virtual int descriptor() const { return -1; }

 protected:
  explicit LockFile(std::string path) : path_(std::move(path)) {}

 private:
  std::string path_;
};

// Holds one byte of a LockFile for as long as it lives.
class HeldLock {
 public:
  static Result<HeldLock> acquire(LockFile& file, uint32_t byte, LockMode mode, Deadline deadline);

  HeldLock() = default;
  HeldLock(HeldLock&& other) noexcept : file_(std::exchange(other.file_, nullptr)), byte_(other.byte_) {}
  HeldLock& operator=(HeldLock&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(byte_, other.byte_);
    return *this;
  }
  ~HeldLock() {
    if (file_ != nullptr) file_->unlock(byte_);
  }
  LockFile* file() const { return file_; }

 private:
  HeldLock(LockFile* file, uint32_t byte) : file_(file), byte_(byte) {}
  LockFile* file_ = nullptr;
  uint32_t byte_ = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Made if missing and `access` allows it. A user who cannot write to the file cannot read it either, since a shared
  // lock keeps writers out. Read-only access to such a file tells which locks are held, and its own locks hold nothing.
  virtual Result<std::unique_ptr<LockFile>> open_lock(const std::string& path, Access access) = 0;
  // Symbolic links are not followed. not_found if there is nothing.
  virtual Result<FileInfo> info(const std::string& path) = 0;
  // Names, without "." and "..", in no order.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Result<> make_directory(const std::string& path) = 0;  // already_exists if there
  // Replaces `to` if it is a file or an empty directory; a directory with content: already_exists.
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> link(const std::string& existing, const std::string& name) = 0;  // already_exists if there
  virtual Result<> unlink(const std::string& path) = 0;
  virtual Result<> remove_directory(const std::string& path) = 0;  // must be empty
  // Returns when the directory's entries are on stable storage.
  virtual Result<> sync_directory(const std::string& path) = 0;
  // The name of the file system that holds `path`; empty if it is known to be local, with locks, maps and links that
  // can be trusted.
  virtual Result<std::string> remote_type(const std::string& path) = 0;

  // In terms of the above:
  // False only if there is nothing for sure; what cannot be looked at is an error.
  Result<bool> exists(const std::string& path);
  Result<std::string> read_all(const std::string& path);
  // Replaces `path` whole and durably: temporary file, sync, rename, sync of the directory. Callers hold a lock that
  // keeps other writers of the same path away.
  Result<> replace(const std::string& path, std::string_view content);
  Result<> make_directories(const std::string& path);  // and parents; each made durable in its parent
  // The same, but not_found if `required` does not exist, so that nothing is made where a disk is not mounted any more.
  Result<> make_directories_in(const std::string& required, const std::string& path);
  Result<> remove_tree(const std::string& path);  // nothing there is no error

 private:
  Result<> sync_if_permitted(const std::string& directory);
};

std::string parent_path(const std::string& path);
// `path`, or the nearest directory above it that exists.
std::string nearest_existing(FileSystem& files, const std::string& path);

}  // namespace pg
