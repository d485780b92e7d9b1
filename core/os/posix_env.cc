// The real machine: clock, futexes, randomness, boot id.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>

#include "core/os/env.h"
#include "core/os/posix_file_system.h"
#include "core/os/unique_fd.h"

namespace pg {
namespace {

using namespace std::chrono;

timespec to_timespec(Duration d) {
  const auto whole = duration_cast<seconds>(d);
  return {static_cast<time_t>(whole.count()), static_cast<long>((d - whole).count())};
}

class PosixClock final : public Clock {
 public:
  int64_t wall_ms() override { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); }
  Deadline now() override { return steady_clock::now(); }

  int64_t boot_ms() override {
    timespec since{};
    clock_gettime(CLOCK_BOOTTIME, &since);
    return int64_t{since.tv_sec} * 1000 + since.tv_nsec / 1'000'000 - namespace_offset_ms();
  }

  void wait(std::span<const WakeWord> words, Duration at_most) override {
    if (at_most <= Duration(0)) return;
    if (words.size() == 1) return wait_one(words[0], at_most);
    if (!words.empty() && words.size() <= kWaitWordsMax && wait_any(words, at_most)) return;
    // Too many words for the kernel, or a kernel without futex_waitv: a short sleep, and the caller looks again.
    const timespec nap = to_timespec(words.empty() ? at_most : std::min<Duration>(at_most, milliseconds(5)));
    nanosleep(&nap, nullptr);
  }

  void wake(const std::atomic<uint32_t>& word) override {
    syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
  }

 private:
  static constexpr size_t kWaitWordsMax = 128;  // FUTEX_WAITV_MAX

  // What this time namespace adds to CLOCK_BOOTTIME. A kernel without time namespaces has no such file.
  static int64_t namespace_offset_ms() {
    UniqueFd fd(retry_eintr([] { return open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC); }));
    std::array<char, 256> text{};
    if (fd.get() < 0 || retry_eintr([&] { return read(fd.get(), text.data(), text.size() - 1); }) <= 0) return 0;
    const char* const line = std::strstr(text.data(), "boottime");
    long long seconds = 0, nanoseconds = 0;
    if (line == nullptr || std::sscanf(line, "boottime %lld %lld", &seconds, &nanoseconds) != 2) return 0;
    return seconds * 1000 + nanoseconds / 1'000'000;
  }

  static void wait_one(const WakeWord& word, Duration at_most) {
    const timespec timeout = to_timespec(at_most);
    syscall(SYS_futex, word.word, FUTEX_WAIT, word.seen, &timeout, nullptr, 0);
  }

  // False if this kernel cannot (Linux before 5.16).
  static bool wait_any(std::span<const WakeWord> words, Duration at_most) {
    struct Waiter {  // struct futex_waitv, which older kernel headers lack
      uint64_t value, address;
      uint32_t flags, reserved;
    };
    constexpr uint32_t kFutex32Bit = 2;
    constexpr long kSysFutexWaitv = 449;
    std::array<Waiter, kWaitWordsMax> waiters;
    for (size_t i = 0; i < words.size(); ++i) {
      waiters[i] = {words[i].seen, reinterpret_cast<uint64_t>(words[i].word), kFutex32Bit, 0};
    }
    const timespec until = to_timespec(steady_clock::now().time_since_epoch() + at_most);
    return syscall(kSysFutexWaitv, waiters.data(), words.size(), 0, &until, CLOCK_MONOTONIC) >= 0 || errno != ENOSYS;
  }
};

class PosixRandom final : public Random {
 public:
  uint64_t next() override {
    uint64_t value = 0;
    retry_eintr([&] { return getrandom(&value, sizeof value, 0); });
    return value;
  }
};

const std::string& boot_id_path() {
  static const std::string path = "/proc/sys/kernel/random/boot_id";
  return path;
}

// A file mounted over the kernel's belongs to another file system.
bool has_kernels_boot_id() {
  struct statfs st;
  const bool known = retry_eintr([&] { return statfs(boot_id_path().c_str(), &st); }) == 0;
  return !known || st.f_type == PROC_SUPER_MAGIC;
}

Result<Uuid> read_boot_id() {
  const std::string& path = boot_id_path();
  std::array<char, 64> text;
  size_t length = 0;
  {
    UniqueFd fd(retry_eintr([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (fd.get() < 0) return sys_fail("read the boot id, without which mapped state cannot be trusted", path);
    const ssize_t got = retry_eintr([&] { return read(fd.get(), text.data(), text.size()); });
    if (got < 0) return sys_fail("read the boot id", path);
    length = static_cast<size_t>(got);
  }
  Uuid id{};
  size_t digits = 0;
  for (size_t i = 0; i < length && digits < 32; ++i) {
    const char c = text[i];
    if (!std::isxdigit(static_cast<unsigned char>(c))) continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    id[digits / 2] = static_cast<uint8_t>(id[digits / 2] << 4 | value);
    ++digits;
  }
  if (digits != 32) return fail(Errc::io, "cannot understand the boot id", path);
  return id;
}

}  // namespace

Env posix_env() {
  static PosixFileSystem files;
  static PosixClock clock;
  static PosixRandom random;
  return Env{.files = files,
             .clock = clock,
             .random = random,
             .boot_id = read_boot_id,
             .process = this_process,
             .process_identity = this_process_identity,
             .kill_lock_holder = kill_lock_holder,
             .lock_holder = lock_holder,
             .kill_lock_holders = kill_lock_holders,
             .has_kernels_boot_id = has_kernels_boot_id,
             .mounts = posix_mounts()};
}

}  // namespace pg
