#include "tests/support/test_env.h"

namespace pg {

TestEnv::TestEnv(Machine machine)
    : memory(manual_clock),
      files(machine == Machine::memory ? static_cast<FileSystem&>(memory) : posix_env().files),
      clock_(machine == Machine::memory ? static_cast<Clock*>(&manual_clock) : &posix_env().clock) {
  if (machine == Machine::disk) {
    disk_.emplace();
    root_ = disk_->path();
  } else {
    root_ = "/root";
    must(memory.make_directory(root_));
  }
}

Env TestEnv::env() {
  Env env{files,
          *clock_,
          random,
          [this]() -> Result<Uuid> {
            Uuid id{};
            id.back() = boot_;
            return id;
          },
          [] {
            return ProcessInfo{4711, 1};
          },
          [this](const std::string& line) {
            const std::lock_guard guard(mutex_);
            notices_ += line + "\n";
          }};
  env.lock_holder = [this](const FileInfo&, uint32_t) { return seen_holder; };
  return env;
}

std::string TestEnv::notices() const {
  const std::lock_guard guard(mutex_);
  return notices_;
}

void TestEnv::clear_notices() {
  const std::lock_guard guard(mutex_);
  notices_.clear();
}

void flip_bits(FileSystem& files, const std::string& path, uint64_t position, uint8_t mask) {
  const auto file = must(files.open(path, OpenMode::write));
  std::byte byte{};
  if (must(file->read_at(position, {&byte, 1})) != 1) throw std::runtime_error("no such byte in " + path);
  byte ^= static_cast<std::byte>(mask);
  must(file->write_at(position, {&byte, 1}));
}

void overwrite(FileSystem& files, const std::string& path, std::string_view content) {
  const auto file = must(files.open(path, OpenMode::create));
  must(file->truncate(0));
  must(file->write_at(0, as_bytes(content)));
}

bool exists(FileSystem& files, const std::string& path) { return files.info(path).has_value(); }

uint64_t size_of(FileSystem& files, const std::string& path) { return must(files.info(path)).size_bytes; }

void copy_tree(FileSystem& files, const std::string& from, const std::string& to) {
  if (!must(files.info(from)).is_directory) return overwrite(files, to, must(files.read_all(from)));
  must(files.make_directory(to));
  for (const auto& name : must(files.list(from))) copy_tree(files, from + "/" + name, to + "/" + name);
}

}  // namespace pg
