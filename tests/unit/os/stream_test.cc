#include "core/os/stream.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

#include "core/os/env.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    for (const int fd : ends) {
      if (fd >= 0) close(fd);
    }
  }
  void close_writer() {
    close(ends[1]);
    ends[1] = -1;
  }
  int ends[2];
};

Deadline in(Duration d) { return posix_env().clock.after(d); }

}  // namespace

TEST_CASE("stream: wait tells data, the end and silence apart") {
  Pipe pipe;
  const InputStream input(pipe.ends[0], "input");
  CHECK(must(input.wait(in(0ms))) == InputStream::Ready::no);
  CHECK(must(input.wait(in(20ms))) == InputStream::Ready::no);
  must(OutputStream(pipe.ends[1], "output").write(as_bytes("abc")));
  CHECK(must(input.wait(kNoDeadline)) == InputStream::Ready::yes);
  std::array<std::byte, 10> bytes;
  CHECK(must(input.read(bytes)) == 3);
  pipe.close_writer();
  CHECK(must(input.wait(kNoDeadline)) == InputStream::Ready::yes);
  CHECK(must(input.read(bytes)) == 0);
}

TEST_CASE("stream: write writes all of it, however small the pipe") {
  Pipe pipe;
  const OutputStream output(pipe.ends[1], "output");
  const std::string sent(3 << 20, 'x');
  std::thread writer([&] {
    must(output.write(as_bytes(sent)));
    pipe.close_writer();
  });
  const InputStream input(pipe.ends[0], "input");
  std::string received;
  std::string buffer(50'000, '\0');
  while (const size_t got = must(input.read(std::as_writable_bytes(std::span(buffer)))))
    received.append(buffer, 0, got);
  writer.join();
  CHECK(received == sent);
}

TEST_CASE("stream: errors name the stream") {
  Pipe pipe;
  close(pipe.ends[0]);
  pipe.ends[0] = -1;
  const Error error = error_of(OutputStream(pipe.ends[1], "standard output").write(as_bytes("x")));
  CHECK(error.sys_errno == EPIPE);
  CHECK(error.path == "standard output");
  std::byte byte;
  CHECK(code_of(InputStream(-1, "nothing").read({&byte, 1})) == Errc::io);
}

TEST_CASE("stream: a user's file is read whole, up to a limit, through links and pipes") {
  const TempDir directory;
  const std::string path = directory.path() + "/f";
  CHECK(code_of(read_user_file(path, 10)) == Errc::io);
  const std::string content(200'000, 'y');
  FileSystem& files = posix_env().files;
  overwrite(files, path, content);
  CHECK(must(read_user_file(path, content.size())) == content);
  CHECK(code_of(read_user_file(path, content.size() - 1)) == Errc::limit);
  REQUIRE(symlink("f", (path + "link").c_str()) == 0);
  CHECK(must(read_user_file(path + "link", 1 << 20)) == content);
  CHECK(code_of(read_user_file("/dev/zero", 1 << 20)) == Errc::limit);
  CHECK(code_of(read_user_file(directory.path(), 10)) == Errc::io);
  overwrite(files, path, "");
  CHECK(must(read_user_file(path, 0)) == "");
  REQUIRE(mkfifo((path + "ifo").c_str(), 0600) == 0);
  std::thread writer([&] {
    std::FILE* fifo = std::fopen((path + "ifo").c_str(), "w");
    std::fputs("from a pipe", fifo);
    std::fclose(fifo);
  });
  CHECK(must(read_user_file(path + "ifo", 100)) == "from a pipe");
  writer.join();
}
