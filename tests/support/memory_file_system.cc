#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "core/base/text.h"
#include "core/os/signals.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

using namespace std::chrono;

constexpr uint64_t kDevice = 77;
constexpr size_t kChunkBytes = 8192;  // the largest page that is mapped
constexpr size_t kNameBytesMax = 255;

struct alignas(kChunkBytes) Chunk {
  std::array<std::byte, kChunkBytes> bytes{};
};

tl::unexpected<Error> refuse(int sys_errno, const char* verb, const std::string& path,
                             std::optional<int64_t> position = {}) {
  errno = sys_errno;
  return sys_fail(verb, path, position);
}

class MemoryMapping final : public Mapping {
 public:
  explicit MemoryMapping(std::shared_ptr<Chunk> chunk) : chunk_(std::move(chunk)) {}
  std::byte* data() const override { return chunk_->bytes.data(); }

 private:
  std::shared_ptr<Chunk> chunk_;
};

}  // namespace

struct MemoryFileSystem::Node {
  struct ByteLock {
    const LockFile* exclusive = nullptr;
    std::set<const LockFile*> shared;
  };

  uint64_t inode = 0;
  uint64_t links = 1;
  bool is_directory = false;
  int64_t changed_ms = 0;
  std::map<std::string, NodePointer> entries;  // of a directory
  uint64_t size = 0;
  // Never given back while the node lives, so that a map and the file stay the same memory.
  std::vector<std::shared_ptr<Chunk>> chunks;
  std::map<uint32_t, ByteLock> locks;

  FileInfo info() const { return {size, links, kDevice, inode, is_directory, changed_ms}; }

  // Calls visit(bytes of one chunk, how far into the range they are) for each piece of [position, position + length).
  template <class Visit>
  void for_each_piece(uint64_t position, size_t length, Visit visit) {
    for (size_t done = 0; done < length;) {
      const size_t at = static_cast<size_t>((position + done) % kChunkBytes);
      const size_t piece = std::min(length - done, kChunkBytes - at);
      Chunk& chunk = *chunks[static_cast<size_t>((position + done) / kChunkBytes)];
      visit(std::span(chunk.bytes).subspan(at, piece), done);
      done += piece;
    }
  }

  void grow_to(uint64_t bytes) {
    while (chunks.size() * kChunkBytes < bytes) chunks.push_back(std::make_shared<Chunk>());
    size = std::max(size, bytes);
  }

  void shrink_to(uint64_t bytes) {
    for_each_piece(bytes, static_cast<size_t>(size - bytes),
                   [](std::span<std::byte> piece, size_t) { std::fill(piece.begin(), piece.end(), std::byte{0}); });
    size = bytes;
  }
};

class MemoryFileSystem::OpenFile final : public File {
 public:
  OpenFile(MemoryFileSystem& files, std::string path, NodePointer node, bool writable)
      : File(std::move(path)), files_(files), node_(std::move(node)), writable_(writable) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override {
    const std::lock_guard guard(files_.mutex_);
    if (node_->is_directory) return refuse(EISDIR, "read", path(), static_cast<int64_t>(position));
    if (position >= node_->size) return size_t{0};
    const size_t length = static_cast<size_t>(std::min<uint64_t>(into.size(), node_->size - position));
    node_->for_each_piece(position, length, [&](std::span<std::byte> piece, size_t done) {
      std::memcpy(into.data() + done, piece.data(), piece.size());
    });
    return length;
  }

  Result<> write_at(uint64_t position, ByteView bytes) override {
    const std::lock_guard guard(files_.mutex_);
    if (!writable_) return refuse(EBADF, "write", path(), static_cast<int64_t>(position));
    if (bytes.empty()) return {};
    node_->changed_ms = files_.clock_.wall_ms();
    node_->grow_to(position + bytes.size());
    node_->for_each_piece(position, bytes.size(), [&](std::span<std::byte> piece, size_t done) {
      std::memcpy(piece.data(), bytes.data() + done, piece.size());
    });
    return {};
  }

  Result<> truncate(uint64_t size_bytes) override {
    const std::lock_guard guard(files_.mutex_);
    if (!writable_) return refuse(EINVAL, "truncate", path(), static_cast<int64_t>(size_bytes));
    node_->changed_ms = files_.clock_.wall_ms();
    if (size_bytes < node_->size)
      node_->shrink_to(size_bytes);
    else
      node_->grow_to(size_bytes);
    return {};
  }

  Result<> sync() override { return {}; }

  Result<FileInfo> info() const override {
    const std::lock_guard guard(files_.mutex_);
    return node_->info();
  }

  Result<std::unique_ptr<Mapping>> map(size_t length, Access access) const override {
    const std::lock_guard guard(files_.mutex_);
    if (access == Access::read_write && !writable_) return refuse(EACCES, "map", path());
    PG_ASSERT(length <= kChunkBytes && length <= node_->size);  // one chunk is what a test may map
    return std::make_unique<MemoryMapping>(node_->chunks.front());
  }

 private:
  MemoryFileSystem& files_;
  NodePointer node_;
  bool writable_;
};

class MemoryFileSystem::OpenLockFile final : public LockFile {
 public:
  OpenLockFile(MemoryFileSystem& files, std::string path, NodePointer node, Access access)
      : LockFile(std::move(path)), files_(files), node_(std::move(node)), access_(access) {}

  ~OpenLockFile() override {
    {
      const std::lock_guard guard(files_.mutex_);
      for (auto& [byte, lock] : node_->locks) release(lock);
    }
    files_.lock_released_.notify_all();
  }

  Result<bool> try_lock(uint32_t byte, LockMode mode) override {
    const std::lock_guard guard(files_.mutex_);
    return take(byte, mode);
  }

  Result<> lock(uint32_t byte, LockMode mode, Deadline deadline) override {
    // Each round lets other threads run and moves a manual clock forward, so that a wait nobody ends does end.
    constexpr auto kRound = milliseconds(1);
    for (;;) {
      {
        std::unique_lock guard(files_.mutex_);
        PG_ASSIGN(const bool got, take(byte, mode));
        if (got) return {};
        if (stop_signal() != 0) return fail(Errc::interrupted, "interrupted while waiting for a lock", path(), byte);
        if (files_.clock_.now() >= deadline) return fail(Errc::timed_out, "timed out waiting for a lock", path(), byte);
        files_.lock_released_.wait_for(guard, kRound);
      }
      files_.clock_.wait({}, std::min<Duration>(kRound, deadline - files_.clock_.now()));
    }
  }

  Result<> downgrade(uint32_t byte) override {
    {
      const std::lock_guard guard(files_.mutex_);
      Node::ByteLock& lock = node_->locks[byte];
      PG_ASSERT(lock.exclusive == this);
      lock.exclusive = nullptr;
      lock.shared.insert(this);
    }
    files_.lock_released_.notify_all();
    return {};
  }

  void unlock(uint32_t byte) override {
    {
      const std::lock_guard guard(files_.mutex_);
      release(node_->locks[byte]);
    }
    files_.lock_released_.notify_all();
  }

  Result<bool> is_held(uint32_t byte) const override {
    const std::lock_guard guard(files_.mutex_);
    const Node::ByteLock& lock = node_->locks[byte];
    return lock.exclusive != nullptr && lock.exclusive != this;
  }

  Result<FileInfo> info() const override {
    const std::lock_guard guard(files_.mutex_);
    return node_->info();
  }

 private:
  // False: held in a conflicting mode, or exclusively by a thread through this very object.
  Result<bool> take(uint32_t byte, LockMode mode) {
    if (mode == LockMode::exclusive && access_ == Access::read_only) return refuse(EBADF, "lock", path(), byte);
    Node::ByteLock& lock = node_->locks[byte];
    if (lock.exclusive != nullptr) return false;
    if (mode == LockMode::shared) {
      lock.shared.insert(this);
      return true;
    }
    const bool others = lock.shared.size() > lock.shared.count(this);
    if (others) return false;
    lock.shared.clear();
    lock.exclusive = this;
    return true;
  }

  void release(Node::ByteLock& lock) {
    if (lock.exclusive == this) lock.exclusive = nullptr;
    lock.shared.erase(this);
  }

  MemoryFileSystem& files_;
  NodePointer node_;
  Access access_;
};

MemoryFileSystem::MemoryFileSystem(Clock& clock) : clock_(clock), root_(make_node(true)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

void MemoryFileSystem::pretend_remote(std::string type) {
  const std::lock_guard guard(mutex_);
  remote_type_ = std::move(type);
}

MemoryFileSystem::NodePointer MemoryFileSystem::make_node(bool is_directory) {
  auto node = std::make_shared<Node>();
  node->inode = next_inode_++;
  node->is_directory = is_directory;
  node->changed_ms = clock_.wall_ms();
  return node;
}

MemoryFileSystem::NodePointer MemoryFileSystem::add(const Entry& entry, NodePointer node) {
  entry.directory->entries[entry.name] = node;
  entry.directory->changed_ms = clock_.wall_ms();
  return node;
}

int MemoryFileSystem::find(const std::string& path, Entry& entry) {
  entry = {root_, "", root_};
  for (const auto component : split(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (!entry.node) return ENOENT;
    if (!entry.node->is_directory) return ENOTDIR;
    if (component.size() > kNameBytesMax) return ENAMETOOLONG;
    entry.directory = entry.node;
    entry.name = component;
    const auto found = entry.directory->entries.find(entry.name);
    entry.node = found == entry.directory->entries.end() ? nullptr : found->second;
  }
  return 0;
}

int MemoryFileSystem::find_existing(const std::string& path, Entry& entry) {
  const int fault = find(path, entry);
  return fault == 0 && !entry.node ? ENOENT : fault;
}

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find(path, entry)) return refuse(fault, "open", path);
  const bool may_create = mode == OpenMode::create || mode == OpenMode::create_new;
  const bool writable = mode != OpenMode::read;
  if (entry.node && mode == OpenMode::create_new) return refuse(EEXIST, "open", path);
  if (!entry.node && !may_create) return refuse(ENOENT, "open", path);
  if (!entry.node) entry.node = add(entry, make_node(false));
  if (entry.node->is_directory) return tl::unexpected(wrong_kind(FileKind::directory, FileKind::file, path));
  return std::make_unique<OpenFile>(*this, path, entry.node, writable);
}

Result<std::unique_ptr<LockFile>> MemoryFileSystem::open_lock(const std::string& path, Access access) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find(path, entry)) return refuse(fault, "open lock file", path);
  if (!entry.node && access == Access::read_only) return refuse(ENOENT, "open lock file", path);
  if (!entry.node) entry.node = add(entry, make_node(false));
  if (entry.node->is_directory) return tl::unexpected(wrong_kind(FileKind::directory, FileKind::file, path));
  return std::make_unique<OpenLockFile>(*this, path, entry.node, access);
}

Result<FileInfo> MemoryFileSystem::info(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(path, entry)) return refuse(fault, "stat", path);
  return entry.node->info();
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& directory) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(directory, entry)) return refuse(fault, "list directory", directory);
  if (!entry.node->is_directory) return refuse(ENOTDIR, "list directory", directory);
  std::vector<std::string> names;
  for (const auto& [name, node] : entry.node->entries) names.push_back(name);
  return names;
}

Result<> MemoryFileSystem::make_directory(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find(path, entry)) return refuse(fault, "make directory", path);
  if (entry.node) return refuse(EEXIST, "make directory", path);
  add(entry, make_node(true));
  return {};
}

Result<> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(mutex_);
  Entry source, target;
  if (const int fault = find_existing(from, source)) return refuse(fault, "rename", from);
  if (const int fault = find(to, target)) return refuse(fault, "rename", from);
  if (source.node == target.node) return {};
  if (source.node->is_directory && (to + "/").starts_with(from + "/")) return refuse(EINVAL, "rename", from);
  if (target.node) {
    if (source.node->is_directory && !target.node->is_directory) return refuse(ENOTDIR, "rename", from);
    if (!source.node->is_directory && target.node->is_directory) return refuse(EISDIR, "rename", from);
    if (!target.node->entries.empty()) return refuse(ENOTEMPTY, "rename", from);
    --target.node->links;
  }
  source.directory->entries.erase(source.name);
  add(target, source.node);
  source.node->changed_ms = source.directory->changed_ms = clock_.wall_ms();
  return {};
}

Result<> MemoryFileSystem::link(const std::string& existing, const std::string& name) {
  const std::lock_guard guard(mutex_);
  Entry source, target;
  if (const int fault = find_existing(existing, source)) return refuse(fault, "link", name);
  if (const int fault = find(name, target)) return refuse(fault, "link", name);
  if (target.node) return refuse(EEXIST, "link", name);
  if (source.node->is_directory) return refuse(EPERM, "link", name);
  add(target, source.node);
  ++source.node->links;
  return {};
}

Result<> MemoryFileSystem::unlink(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(path, entry)) return refuse(fault, "delete", path);
  if (entry.node->is_directory) return refuse(EISDIR, "delete", path);
  --entry.node->links;
  entry.directory->entries.erase(entry.name);
  return {};
}

Result<> MemoryFileSystem::remove_directory(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(path, entry)) return refuse(fault, "delete directory", path);
  if (!entry.node->is_directory) return refuse(ENOTDIR, "delete directory", path);
  if (!entry.node->entries.empty()) return refuse(ENOTEMPTY, "delete directory", path);
  --entry.node->links;
  entry.directory->entries.erase(entry.name);
  return {};
}

Result<> MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(path, entry)) return refuse(fault, "open directory", path);
  if (!entry.node->is_directory) return refuse(ENOTDIR, "open directory", path);
  return {};
}

Result<std::string> MemoryFileSystem::remote_type(const std::string& path) {
  const std::lock_guard guard(mutex_);
  Entry entry;
  if (const int fault = find_existing(path, entry)) return refuse(fault, "find the file system of", path);
  return remote_type_;
}

}  // namespace pg
