// What a durable append costs without a log around it: lines of 100 bytes, written and forced to disk.
//
//   durable loop FILE N            write and fdatasync, N times: prints the median time of one, in seconds
//   durable group FILE THREADS N   N times in each thread, with a group commit: prints how long all of it took
//   durable intervals              reads lines: prints the median time between two, in seconds
//   durable ask N                  N times a line out and a line in: prints the median time of one to standard error
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

void print_median(std::vector<double> samples) {
  if (samples.empty()) std::exit(1);
  std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
  std::printf("%.9f\n", samples[samples.size() / 2]);
}

int open_new(const char* path) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) die(path);
  return fd;
}

const std::string kLine = std::string(99, 'x') + "\n";

void append(int fd, off_t at) {
  if (pwrite(fd, kLine.data(), kLine.size(), at) != static_cast<ssize_t>(kLine.size())) die("write");
}

void loop(const char* path, int count) {
  const int fd = open_new(path);
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) {
    const auto began = Clock::now();
    append(fd, static_cast<off_t>(kLine.size()) * i);
    if (fdatasync(fd) != 0) die("fdatasync");
    samples.push_back(seconds(Clock::now() - began));
  }
  print_median(std::move(samples));
}

// Whoever finds nobody syncing syncs for all that was written by then; the others wait for it.
class GroupCommit {
 public:
  explicit GroupCommit(int fd) : fd_(fd) {}

  void append_durably() {
    std::unique_lock lock(mutex_);
    append(fd_, static_cast<off_t>(kLine.size()) * written_);
    const long mine = ++written_;
    while (synced_ < mine) {
      if (syncing_) {
        done_.wait(lock);
        continue;
      }
      syncing_ = true;
      const long end = written_;
      lock.unlock();
      if (fdatasync(fd_) != 0) die("fdatasync");
      lock.lock();
      synced_ = end;
      syncing_ = false;
      done_.notify_all();
    }
  }

 private:
  const int fd_;
  std::mutex mutex_;
  std::condition_variable done_;
  long written_ = 0, synced_ = 0;
  bool syncing_ = false;
};

void group(const char* path, int threads, int count) {
  GroupCommit log(open_new(path));
  const auto began = Clock::now();
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < count; ++i) log.append_durably();
    });
  }
  for (auto& thread : all) thread.join();
  std::printf("%.6f\n", seconds(Clock::now() - began));
}

void intervals() {
  std::vector<double> samples;
  char buffer[1 << 16];
  Clock::time_point last{};
  for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;) {
    const auto now = Clock::now();
    const auto lines = std::count(buffer, buffer + got, '\n');
    if (last != Clock::time_point{}) {
      for (auto i = lines; i > 0; --i) samples.push_back(seconds(now - last) / static_cast<double>(lines));
    }
    last = now;
  }
  print_median(std::move(samples));
}

// One line out, and none more before one comes in: what somebody waits who needs an answer for each record.
void ask(int count) {
  std::vector<double> samples;
  char buffer[1 << 16];
  for (int i = 0; i < count; ++i) {
    const auto began = Clock::now();
    if (write(1, kLine.data(), kLine.size()) != static_cast<ssize_t>(kLine.size())) die("write");
    for (bool answered = false; !answered;) {
      const ssize_t got = read(0, buffer, sizeof buffer);
      if (got <= 0) die("read");
      answered = buffer[got - 1] == '\n';
    }
    samples.push_back(seconds(Clock::now() - began));
  }
  close(1);
  std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
  std::fprintf(stderr, "%.9f\n", samples[samples.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "loop") == 0)
    loop(argv[2], std::atoi(argv[3]));
  else if (argc == 5 && std::strcmp(argv[1], "group") == 0)
    group(argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  else if (argc == 2 && std::strcmp(argv[1], "intervals") == 0)
    intervals();
  else if (argc == 3 && std::strcmp(argv[1], "ask") == 0)
    ask(std::atoi(argv[2]));
  else
    return std::fputs("usage: durable loop FILE N | group FILE THREADS N | intervals | ask N\n", stderr), 2;
}
