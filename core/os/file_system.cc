#include "core/os/file_system.h"

#include <fmt/format.h>

namespace pg {

Result<HeldLock> HeldLock::acquire(LockFile& file, uint32_t byte, LockMode mode, Deadline deadline) {
  PG_CHECK(file.lock(byte, mode, deadline));
  return HeldLock(&file, byte);
}

std::string parent_path(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> FileSystem::read_all(const std::string& path) {
  PG_ASSIGN(const auto file, open(path, OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  if (info.is_directory) return fail(Errc::io, "is a directory, where a file was expected", path);
  std::string content(info.size_bytes, '\0');
  PG_ASSIGN(const size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

Result<> FileSystem::replace(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  if (const auto removed = unlink(temporary); !removed && removed.error().code != Errc::not_found) return removed;
  {
    PG_ASSIGN(const auto file, open(temporary, OpenMode::create_new));
    PG_CHECK(file->write_at(0, as_bytes(content)));
    PG_CHECK(file->sync());
  }
  PG_CHECK(rename(temporary, path));
  return sync_directory(parent_path(path));
}

Result<> FileSystem::make_directories(const std::string& path) {
  if (const auto existing = info(path); existing && existing->is_directory) return {};
  const std::string parent = parent_path(path);
  if (parent != path) PG_CHECK(make_directories(parent));
  const auto made = make_directory(path);
  if (!made) {
    // Somebody else made it meanwhile, or it is a link to a directory, which the home itself may be.
    if (made.error().code == Errc::already_exists && list(path)) return {};
    return made;
  }
  return sync_directory(parent);
}

Result<> FileSystem::remove_tree(const std::string& path) {
  const auto what = info(path);
  if (!what) return what.error().code == Errc::not_found ? Result<>() : tl::unexpected(what.error());
  if (!what->is_directory) return unlink(path);
  PG_ASSIGN(const auto names, list(path));
  for (const auto& name : names) PG_CHECK(remove_tree(fmt::format("{}/{}", path, name)));
  return remove_directory(path);
}

}  // namespace pg
