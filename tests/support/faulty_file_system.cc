#include "tests/support/faulty_file_system.h"

#include <algorithm>

#include "core/os/unique_fd.h"

namespace pg {
namespace {

tl::unexpected<Error> injected(int sys_errno, const std::string& path) {
  return fail(errc_of(sys_errno), "injected fault", path, {}, sys_errno);
}

}  // namespace

class FaultyFileSystem::FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& files, std::unique_ptr<File> real)
      : File(real->path()), files_(files), real_(std::move(real)) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override {
    PG_CHECK(files_.pass(Call::read, path()));
    return real_->read_at(position, into);
  }
  Result<> write_at(uint64_t position, ByteView bytes) override {
    if (bytes.empty()) return {};  // no call at all
    if (const auto plan = files_.count(Call::write, path())) {
      if (plan->prefix_bytes)
        PG_CHECK(real_->write_at(position, bytes.first(std::min(*plan->prefix_bytes, bytes.size()))));
      return injected(plan->sys_errno, path());
    }
    return real_->write_at(position, bytes);
  }
  Result<> truncate(uint64_t size_bytes) override {
    PG_CHECK(files_.pass(Call::truncate, path()));
    return real_->truncate(size_bytes);
  }
  Result<> sync() override {
    PG_CHECK(files_.pass(Call::sync, path()));
    return real_->sync();
  }
  Result<FileInfo> info() const override {
    PG_CHECK(files_.pass(Call::file_info, path()));
    return real_->info();
  }
  Result<std::unique_ptr<Mapping>> map(size_t length, Access access) const override {
    PG_CHECK(files_.pass(Call::map, path()));
    return real_->map(length, access);
  }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<File> real_;
};

class FaultyFileSystem::FaultyLockFile final : public LockFile {
 public:
  FaultyLockFile(FaultyFileSystem& files, std::unique_ptr<LockFile> real)
      : LockFile(real->path()), files_(files), real_(std::move(real)) {}

  Result<bool> try_lock(uint32_t byte, LockMode mode) override {
    PG_CHECK(files_.pass(Call::lock, path()));
    return real_->try_lock(byte, mode);
  }
  Result<> lock(uint32_t byte, LockMode mode, Deadline deadline) override {
    PG_CHECK(files_.pass(Call::lock, path()));
    return real_->lock(byte, mode, deadline);
  }
  Result<> downgrade(uint32_t byte) override {
    PG_CHECK(files_.pass(Call::lock, path()));
    return real_->downgrade(byte);
  }
  void unlock(uint32_t byte) override { real_->unlock(byte); }
  Result<bool> is_held(uint32_t byte) const override {
    PG_CHECK(files_.pass(Call::lock, path()));
    return real_->is_held(byte);
  }
  Result<FileInfo> info() const override {
    PG_CHECK(files_.pass(Call::file_info, path()));
    return real_->info();
  }
  int descriptor() const override { return real_->descriptor(); }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<LockFile> real_;
};

void FaultyFileSystem::arm(const FaultPlan& plan) {
  const std::lock_guard guard(mutex_);
  plan_ = plan;
  matching_calls_ = fired_ = 0;
}

void FaultyFileSystem::disarm() {
  const std::lock_guard guard(mutex_);
  plan_.reset();
}

int64_t FaultyFileSystem::fired() const {
  const std::lock_guard guard(mutex_);
  return fired_;
}

std::string FaultyFileSystem::fired_path() const {
  const std::lock_guard guard(mutex_);
  return fired_path_;
}

uint64_t FaultyFileSystem::fired_bytes() const {
  const std::lock_guard guard(mutex_);
  return fired_bytes_;
}

int64_t FaultyFileSystem::calls(Call kind) const {
  const std::lock_guard guard(mutex_);
  const auto found = calls_.find(kind);
  return found == calls_.end() ? 0 : found->second;
}

std::optional<FaultPlan> FaultyFileSystem::count(Call kind, const std::string& path) {
  if (before_call_ && !acting_) {
    acting_ = true;
    before_call_(kind, path);
    acting_ = false;
  }
  const std::lock_guard guard(mutex_);
  ++calls_[kind];
  if (!plan_ || (plan_->kind && *plan_->kind != kind)) return {};
  ++matching_calls_;
  const bool due = plan_->for_ever ? matching_calls_ >= plan_->nth : matching_calls_ == plan_->nth;
  if (!due) return {};
  ++fired_;
  fired_path_ = path;
  const auto info = real_.info(path);
  fired_bytes_ = info && !info->is_directory ? info->size_bytes : 0;
  return plan_;
}

Result<> FaultyFileSystem::pass(Call kind, const std::string& path) {
  if (const auto plan = count(kind, path)) return injected(plan->sys_errno, path);
  return {};
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path, OpenMode mode) {
  PG_CHECK(pass(Call::open, path));
  PG_ASSIGN(auto file, real_.open(path, mode));
  return std::make_unique<FaultyFile>(*this, std::move(file));
}

Result<std::unique_ptr<LockFile>> FaultyFileSystem::open_lock(const std::string& path, Access access) {
  PG_CHECK(pass(Call::open_lock, path));
  PG_ASSIGN(auto file, real_.open_lock(path, access));
  return std::make_unique<FaultyLockFile>(*this, std::move(file));
}

Result<FileInfo> FaultyFileSystem::info(const std::string& path) {
  PG_CHECK(pass(Call::info, path));
  return real_.info(path);
}

Result<std::vector<std::string>> FaultyFileSystem::list(const std::string& directory) {
  PG_CHECK(pass(Call::list, directory));
  return real_.list(directory);
}

Result<> FaultyFileSystem::make_directory(const std::string& path) {
  PG_CHECK(pass(Call::make_directory, path));
  return real_.make_directory(path);
}

Result<> FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  PG_CHECK(pass(Call::rename, from));
  return real_.rename(from, to);
}

Result<> FaultyFileSystem::link(const std::string& existing, const std::string& name) {
  PG_CHECK(pass(Call::link, name));
  return real_.link(existing, name);
}

Result<> FaultyFileSystem::unlink(const std::string& path) {
  PG_CHECK(pass(Call::unlink, path));
  return real_.unlink(path);
}

Result<> FaultyFileSystem::remove_directory(const std::string& path) {
  PG_CHECK(pass(Call::remove_directory, path));
  return real_.remove_directory(path);
}

Result<> FaultyFileSystem::sync_directory(const std::string& path) {
  PG_CHECK(pass(Call::sync_directory, path));
  return real_.sync_directory(path);
}

Result<std::string> FaultyFileSystem::remote_type(const std::string& path) {
  PG_CHECK(pass(Call::remote_type, path));
  return real_.remote_type(path);
}

}  // namespace pg
