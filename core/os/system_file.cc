#include "core/os/system_file.h"

#include <fcntl.h>

#include <array>

#include "core/os/unique_fd.h"

namespace pg {

std::string read_system_file(const char* path) {
  UniqueFd fd(retry_eintr([&] { return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  std::string text;
  if (fd.get() < 0) return text;
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = retry_eintr([&] { return read(fd.get(), block.data(), block.size()); });
    if (got <= 0) return got < 0 ? std::string() : text;
    text.append(block.data(), static_cast<size_t>(got));
  }
}

}  // namespace pg
