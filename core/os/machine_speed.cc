#include "core/os/machine_speed.h"

#include <unistd.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/os/posix_file_system.h"
#include "core/os/spawn.h"

namespace pg {
namespace {

constexpr Duration kEach = std::chrono::milliseconds(300);
constexpr size_t kCopyBytes = 64 << 20;
constexpr size_t kPipeBytes = 64 << 10;
constexpr size_t kSyncBytes = 4 << 10;

// How often `step` succeeds within kEach, a second.
template <class Step>
Result<double> rate(Clock& clock, const Step& step) {
  const Deadline began = clock.now();
  for (int64_t count = 1;; ++count) {
    PG_CHECK(step());
    const Duration length = clock.now() - began;
    if (length >= kEach) return static_cast<double>(count) / std::chrono::duration<double>(length).count();
  }
}

Result<double> syncs_per_second(const Env& env, const std::string& directory) {
  const std::string path = directory + "/speed." + std::to_string(getpid());
  PG_ASSIGN(const auto file, env.files.open(path, OpenMode::create_new));
  PG_CHECK(env.files.unlink(path));  // whatever ends us, nothing is left
  const std::vector<std::byte> page(kSyncBytes);
  uint64_t position = 0;
  return rate(env.clock, [&]() -> Result<> {
    PG_CHECK(file->write_at(position, page));
    position += page.size();
    return file->sync();
  });
}

double memory_bytes_per_second(Clock& clock) {
  const auto from = std::make_unique<std::byte[]>(kCopyBytes), to = std::make_unique<std::byte[]>(kCopyBytes);
  std::memcpy(to.get(), from.get(), kCopyBytes);  // the first touch is another matter
  return *rate(clock, [&]() -> Result<> {
    std::memcpy(to.get(), from.get(), kCopyBytes);
    return {};
  }) * static_cast<double>(kCopyBytes);
}

Result<double> pipe_bytes_per_second(Clock& clock) {
  PG_ASSIGN(Pipe pipe, make_pipe());
  std::thread reader([fd = pipe.reader.get()] {
    std::vector<char> bytes(kPipeBytes);
    while (retry_eintr([&] { return read(fd, bytes.data(), bytes.size()); }) > 0) {
    }
  });
  const std::vector<char> bytes(kPipeBytes);
  auto result = rate(clock, [&]() -> Result<> {
    const ssize_t written = retry_eintr([&] { return write(pipe.writer.get(), bytes.data(), bytes.size()); });
    return written == static_cast<ssize_t>(bytes.size()) ? Result<>() : sys_fail("write to", "a pipe");
  });
  pipe.writer = UniqueFd();
  reader.join();
  return result.map([](double writes) { return writes * static_cast<double>(kPipeBytes); });
}

}  // namespace

Result<MachineSpeed> measure_machine(const Env& env, const std::string& directory) {
  MachineSpeed speed;
  speed.processors = static_cast<int>(std::thread::hardware_concurrency());
  PG_ASSIGN(speed.syncs_per_second, syncs_per_second(env, directory));
  speed.memory_bytes_per_second = memory_bytes_per_second(env.clock);
  PG_ASSIGN(speed.pipe_bytes_per_second, pipe_bytes_per_second(env.clock));
  return speed;
}

}  // namespace pg
