// Measures the latency of lines that go from one process to another.
//   lat gen RATE COUNT   writes COUNT lines of 100 bytes, RATE a second, each with the time it was due
//   lat read COUNT       reads them, prints "p50 p99 p99.9" in seconds, without the first 200 lines
//
// A line that was due while the write before it was blocked carries the time it was due, not the time it was written,
// so that a pause counts for all the lines it held up (no coordinated omission). Else it carries the time after the
// sleep: how late the kernel wakes us is no part of what is measured.
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kLineSize = 100;
constexpr size_t kSkipped = 200;

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

int generate(int64_t rate, size_t count) {
  prctl(PR_SET_TIMERSLACK, 1);  // the default lets the kernel wake us 50 us late
  char line[kLineSize + 1];
  int64_t due = now();
  for (size_t i = 0; i < count; ++i, due += kSecond / rate) {
    int64_t stamp = due;
    if (now() < due) {
      const timespec until{due / kSecond, due % kSecond};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
      stamp = now();
    }
    std::snprintf(line, sizeof line, "%020lld %0*d\n", static_cast<long long>(stamp), int{kLineSize - 22}, 0);
    if (write(STDOUT_FILENO, line, kLineSize) != ssize_t{kLineSize}) {
      std::perror("lat: write");
      return 1;
    }
  }
  return 0;
}

int read_lines(size_t count) {
  std::vector<int64_t> latencies;
  latencies.reserve(count);
  std::vector<char> buffer(1 << 20);
  size_t filled = 0;
  while (latencies.size() < count) {
    const ssize_t got = read(STDIN_FILENO, buffer.data() + filled, buffer.size() - filled);
    if (got <= 0) break;
    const int64_t arrived = now();
    filled += static_cast<size_t>(got);
    size_t used = 0;
    for (; filled - used >= kLineSize; used += kLineSize) {
      latencies.push_back(arrived - std::strtoll(buffer.data() + used, nullptr, 10));
    }
    std::memmove(buffer.data(), buffer.data() + used, filled - used);
    filled -= used;
  }
  if (latencies.size() != count || count <= kSkipped) {
    std::fprintf(stderr, "lat: %zu of %zu lines came\n", latencies.size(), count);
    return 1;
  }
  latencies.erase(latencies.begin(), latencies.begin() + kSkipped);
  std::sort(latencies.begin(), latencies.end());
  for (const double quantile : {0.5, 0.99, 0.999}) {
    const auto rank = static_cast<size_t>(quantile * static_cast<double>(latencies.size() - 1));
    std::printf("%.9f%c", static_cast<double>(latencies[rank]) / kSecond, quantile == 0.999 ? '\n' : ' ');
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "gen") == 0)
    return generate(std::atoll(argv[2]), std::strtoull(argv[3], nullptr, 10));
  if (argc == 3 && std::strcmp(argv[1], "read") == 0) return read_lines(std::strtoull(argv[2], nullptr, 10));
  std::fprintf(stderr, "usage: lat gen RATE COUNT | lat read COUNT\n");
  return 2;
}
