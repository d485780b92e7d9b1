#include "tests/support/power_cut.h"

#include <algorithm>

#include "core/format/path_names.h"
#include "tests/support/must.h"

namespace pg {
namespace {

constexpr uint64_t kSectorBytes = 512;

std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

// A file whose changes are noted.
class PowerCut::WatchedFile final : public File {
 public:
  WatchedFile(PowerCut& power, std::unique_ptr<File> real, Inode inode)
      : File(real->path()), power_(power), real_(std::move(real)), inode_(inode) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override { return real_->read_at(position, into); }

  Result<> write_at(uint64_t position, ByteView bytes) override {
    power_.changing();
    const auto written = real_->write_at(position, bytes);
    if (written)
      state().pending.push_back({position, text_of(bytes)});
    else
      note_part(position, bytes.size());
    return written;
  }
  Result<> truncate(uint64_t size_bytes) override {
    power_.changing();
    PG_CHECK(real_->truncate(size_bytes));
    state().pending.push_back({size_bytes, "", true});
    return {};
  }
  Result<> sync() override {
    power_.changing();
    const auto synced = real_->sync();
    power_.settle(state(), synced.has_value());
    return synced;
  }
  Result<FileInfo> info() const override { return real_->info(); }
  Result<std::unique_ptr<Mapping>> map(size_t length, Access access) const override {
    return real_->map(length, access);
  }

 private:
  FileState& state() { return power_.files_[inode_]; }

  // What a write that failed has left.
  void note_part(uint64_t position, size_t bytes) {
    std::string part(bytes, '\0');
    const auto got = real_->read_at(position, std::as_writable_bytes(std::span(part)));
    if (!got || *got == 0) return;
    part.resize(*got);
    state().pending.push_back({position, part});
  }

  PowerCut& power_;
  std::unique_ptr<File> real_;
  Inode inode_;
};

PowerCut::PowerCut(FileSystem& files, std::string root, FileSystem* calls)
    : truth_(files), real_(calls != nullptr ? *calls : files), root_(std::move(root)) {
  take_as_durable(root_);
}

void PowerCut::take_as_durable(const std::string& path) {
  const FileInfo what = must(truth_.info(path));
  if (!what.is_directory) {
    files_[what.inode].durable = must(truth_.read_all(path));
    return;
  }
  auto& names = directories_[what.inode].durable;
  for (const auto& name : must(truth_.list(path))) {
    names[name] = inode_of(path + "/" + name);
    take_as_durable(path + "/" + name);
  }
}

void PowerCut::apply(const ContentChange& change, std::string& content) {
  if (change.is_cut) return content.resize(change.position);
  content.resize(std::max<size_t>(content.size(), change.position + change.bytes.size()));
  content.replace(change.position, change.bytes.size(), change.bytes);
}

// A removal or a rename needs that the name still is what it was: otherwise what led there is lost, and it too.
void PowerCut::apply(const NameChange& change, std::map<std::string, Inode>& names) {
  if (!change.removed.empty()) {
    const auto old = names.find(change.removed);
    const bool is_it = old != names.end() && old->second == change.inode;
    if (is_it) names.erase(old);
    if (!is_it && !change.added.empty()) return;
  }
  if (!change.added.empty()) names[change.added] = change.inode;
}

void PowerCut::settle(FileState& file, bool synced) {
  for (auto& change : file.pending) {
    if (!synced)
      change.is_doubtful = true;
    else if (!change.is_doubtful || fate_.one_in(2))
      apply(change, file.durable);
  }
  if (synced) file.pending.clear();
}

void PowerCut::settle(DirectoryState& directory, bool synced) {
  if (!synced) return;
  for (const auto& change : directory.pending) apply(change, directory.durable);
  directory.pending.clear();
}

PowerCut::Inode PowerCut::inode_of(const std::string& path) {
  const auto what = truth_.info(path);
  return what ? what->inode : 0;
}

void PowerCut::note(const std::string& directory, NameChange change) {
  const auto found = directories_.find(inode_of(directory));
  PG_ASSERT(found != directories_.end());
  found->second.pending.push_back(std::move(change));
}

Result<std::unique_ptr<File>> PowerCut::open(const std::string& path, OpenMode mode) {
  const bool may_create = mode == OpenMode::create || mode == OpenMode::create_new;
  const bool is_new = may_create && inode_of(path) == 0;
  if (is_new) changing();
  PG_ASSIGN(auto file, real_.open(path, mode));
  const Inode inode = inode_of(path);
  if (is_new) note(parent_path(path), {"", std::string(names::last_component(path)), inode});
  return std::make_unique<WatchedFile>(*this, std::move(file), inode);
}

Result<std::unique_ptr<LockFile>> PowerCut::open_lock(const std::string& path, Access access) {
  const bool is_new = access == Access::read_write && inode_of(path) == 0;
  if (is_new) changing();
  PG_ASSIGN(auto file, real_.open_lock(path, access));
  if (is_new) note(parent_path(path), {"", std::string(names::last_component(path)), inode_of(path)});
  return file;
}

Result<> PowerCut::make_directory(const std::string& path) {
  changing();
  PG_CHECK(real_.make_directory(path));
  directories_[inode_of(path)];
  note(parent_path(path), {"", std::string(names::last_component(path)), inode_of(path)});
  return {};
}

Result<> PowerCut::rename(const std::string& from, const std::string& to) {
  PG_ASSERT(parent_path(from) == parent_path(to));
  changing();
  const Inode inode = inode_of(from);
  PG_CHECK(real_.rename(from, to));
  note(parent_path(from), {std::string(names::last_component(from)), std::string(names::last_component(to)), inode});
  return {};
}

Result<> PowerCut::link(const std::string& existing, const std::string& name) {
  changing();
  PG_CHECK(real_.link(existing, name));
  note(parent_path(name), {"", std::string(names::last_component(name)), inode_of(name)});
  return {};
}

Result<> PowerCut::unlink(const std::string& path) {
  const Inode inode = inode_of(path);
  if (inode != 0) changing();
  PG_CHECK(real_.unlink(path));
  note(parent_path(path), {std::string(names::last_component(path)), "", inode});
  return {};
}

Result<> PowerCut::remove_directory(const std::string& path) {
  changing();
  const Inode inode = inode_of(path);
  PG_CHECK(real_.remove_directory(path));
  note(parent_path(path), {std::string(names::last_component(path)), "", inode});
  return {};
}

Result<> PowerCut::sync_directory(const std::string& path) {
  changing();
  const Inode inode = inode_of(path);
  const auto synced = real_.sync_directory(path);
  if (const auto found = directories_.find(inode); found != directories_.end())
    settle(found->second, synced.has_value());
  return synced;
}

// One choice of what is left, made file by file and name by name.
class PowerCut::Survivors {
 public:
  // What is not on the disk mostly goes together or stays together; in between, each change has the same odds.
  Survivors(const PowerCut& power, FileSystem& survivor, SeededRandom& random)
      : power_(power), survivor_(survivor), random_(random) {
    const uint64_t mood = random.below(14);
    kept_in_8_ = mood < 3 ? 0 : std::min<uint64_t>(8, mood - 2);
  }

  void fill(const std::string& path, Inode inode) {
    const DirectoryState& state = power_.directories_.at(inode);
    auto names = state.durable;
    for (const auto& change : state.pending) {
      if (keeps()) apply(change, names);
    }
    for (const auto& [name, node] : names) {
      const std::string child = path + "/" + name;
      if (power_.directories_.contains(node)) {
        must(survivor_.make_directory(child));
        fill(child, node);
      } else if (const auto [known, is_new] = placed_.emplace(node, child); !is_new) {
        must(survivor_.link(known->second, child));
      } else {
        must(must(survivor_.open(child, OpenMode::create_new))->write_at(0, as_bytes(content_of(node))));
      }
    }
  }

 private:
  bool keeps() { return random_.below(8) < kept_in_8_; }

  std::string content_of(Inode inode) {
    const auto found = power_.files_.find(inode);
    if (found == power_.files_.end()) return "";  // a lock file
    std::string content = found->second.durable;
    for (const auto& change : found->second.pending) {
      if (change.is_cut || random_.one_in(2)) {
        if (keeps()) apply(change, content);
      } else {
        keep_sectors(change, content);
      }
    }
    return content;
  }

  void keep_sectors(const ContentChange& change, std::string& content) {
    const uint64_t end = change.position + change.bytes.size();
    for (uint64_t from = change.position; from < end;) {
      const uint64_t to = std::min(end, (from / kSectorBytes + 1) * kSectorBytes);
      if (keeps()) apply({from, change.bytes.substr(from - change.position, to - from)}, content);
      from = to;
    }
    if (keeps()) content.resize(std::max<size_t>(content.size(), end));
  }

  const PowerCut& power_;
  FileSystem& survivor_;
  SeededRandom& random_;
  uint64_t kept_in_8_;
  std::map<Inode, std::string> placed_;
};

void PowerCut::leave(FileSystem& survivor, SeededRandom& random) const {
  Survivors(*this, survivor, random).fill(root_, must(truth_.info(root_)).inode);
}

}  // namespace pg
