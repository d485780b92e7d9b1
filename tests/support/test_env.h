// A machine for a test: by default all in memory with a clock that moves only when told, or the real disk and clock.
// Every file access goes through `files`, which fails on demand. A restart of the machine is a new boot id.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/os/env.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temp_dir.h"

namespace pg {

enum class Machine { memory, disk };

class TestEnv {
 public:
  explicit TestEnv(Machine machine = Machine::memory);

  // Borrows this object.
  Env env();
  // An empty directory to work in.
  const std::string& root() const { return root_; }
  Clock& clock() { return *clock_; }

  // The next env(), and everything opened from now on, sees another boot. Close what is open first.
  void reboot() { ++boot_; }

  // What was said through Env::notice, one line each.
  std::string notices() const;
  void clear_notices();

  // The process that is seen to hold a lock; empty, unless a test names one.
  std::optional<int32_t> seen_holder;

  // A deadline that lies far off.
  Deadline soon() { return clock_->after(std::chrono::seconds(30)); }

  ManualClock manual_clock;  // Machine::memory has this clock
  MemoryFileSystem memory;   // and these files
  FaultyFileSystem files;    // what env() shows
  SeededRandom random;

 private:
  std::optional<TempDir> disk_;
  std::string root_;
  Clock* clock_;
  std::atomic<uint8_t> boot_{1};
  mutable std::mutex mutex_;  // guards notices_
  std::string notices_;
};

// Both kinds, for tests that hold on either.
inline constexpr Machine kEveryMachine[] = {Machine::memory, Machine::disk};

// One byte of a file changed: what a failing disk does.
void flip_bits(FileSystem& files, const std::string& path, uint64_t position, uint8_t mask = 0xff);
// The whole file replaced in place, as the same inode.
void overwrite(FileSystem& files, const std::string& path, std::string_view content);
bool exists(FileSystem& files, const std::string& path);
uint64_t size_of(FileSystem& files, const std::string& path);
// Makes `to` a copy of `from`: files and folders, new inodes, as cp -r would.
void copy_tree(FileSystem& files, const std::string& from, const std::string& to);

}  // namespace pg
