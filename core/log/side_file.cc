#include "core/log/side_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace pg {
namespace {

constexpr size_t kCopyBytes = 64 << 10;

Result<std::unique_ptr<File>> create_first_free(FileSystem& files, const std::function<std::string(int n)>& name_of) {
  for (int n = 1;; ++n) {
    auto made = files.open(name_of(n), OpenMode::create_new);
    if (made || made.error().code != Errc::already_exists) return made;
  }
}

}  // namespace

Result<std::string> set_aside(FileSystem& files, const File& log, uint64_t from, uint64_t to,
                              const std::function<std::string(int n)>& name_of) {
  std::unique_ptr<File> kept;
  std::vector<std::byte> buffer(kCopyBytes);
  for (uint64_t at = from; at < to;) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kCopyBytes, to - at));
    PG_ASSIGN(const size_t got, log.read_at(at, std::span(buffer).first(wanted)));
    if (got == 0) break;
    const auto bytes = std::span(buffer).first(got);
    const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
    if (!kept && !zeros) {
      PG_ASSIGN(kept, create_first_free(files, name_of));
    }
    if (kept) PG_CHECK(kept->write_at(at - from, bytes));
    at += got;
  }
  if (!kept) return std::string();
  PG_CHECK(kept->sync());
  PG_CHECK(files.sync_directory(parent_path(kept->path())));
  return kept->path();
}

Result<std::string> move_aside(FileSystem& files, const std::string& path) {
  for (int n = 1;; ++n) {
    const std::string aside = fmt::format("{}.aside-{}", path, n);
    PG_ASSIGN(const bool taken, files.exists(aside));
    if (!taken) return files.rename(path, aside).map([&] { return aside; });
  }
}

}  // namespace pg
