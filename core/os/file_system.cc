#include "core/os/file_system.h"

#include <fmt/format.h>

#include <cerrno>

namespace pg {

Result<HeldLock> HeldLock::acquire(LockFile& file, uint32_t byte, LockMode mode, Deadline deadline) {
  PG_CHECK(file.lock(byte, mode, deadline));
  return HeldLock(&file, byte);
}

const char* name_of(FileKind kind) {
  switch (kind) {
    case FileKind::file:
      return "a file";
    case FileKind::directory:
      return "a directory";
    case FileKind::symbolic_link:
      return "a symbolic link";
    case FileKind::fifo:
      return "a FIFO";
    case FileKind::socket:
      return "a socket";
    case FileKind::device:
      return "a device";
  }
  return "";
}

Error wrong_kind(FileKind kind, FileKind expected, const std::string& path) {
  return {Errc::io, fmt::format("is {}, where {} was expected", name_of(kind), name_of(expected)), path, {}, 0};
}

std::string parent_path(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string nearest_existing(FileSystem& files, const std::string& path) {
  std::string nearest = path;
  for (std::string above = parent_path(nearest); !files.info(nearest) && above != nearest; above = parent_path(nearest))
    nearest = above;
  return nearest;
}

Result<bool> FileSystem::exists(const std::string& path) {
  const auto found = info(path);
  if (!found && found.error().code != Errc::not_found) return tl::unexpected(found.error());
  return found.has_value();
}

Result<std::string> FileSystem::read_all(const std::string& path) {
  PG_ASSIGN(const auto file, open(path, OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
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

// Each directory is durable in its parent before anything is made in it. So only the last existing one may be left by a
// process that was killed before the name was on the disk.
Result<> FileSystem::make_directories(const std::string& path) {
  const std::string parent = parent_path(path);
  if (const auto existing = info(path); existing && existing->is_directory) return sync_if_permitted(parent);
  if (parent != path) PG_CHECK(make_directories(parent));
  const auto made = make_directory(path);
  if (!made) {
    // Somebody else made it meanwhile, or it is a link to a directory, which the home itself may be.
    if (made.error().code != Errc::already_exists || !list(path)) return made;
    return sync_if_permitted(parent);
  }
  return sync_directory(parent);
}

Result<> FileSystem::make_directories_in(const std::string& required, const std::string& path) {
  PG_CHECK(info(required));
  PG_CHECK(make_directories(path));
  // No directory on the way may be a link, which would lead to another place.
  const std::string base = path.starts_with(required + "/") ? required : parent_path(required);
  for (std::string at = path; at.size() > base.size(); at = parent_path(at)) {
    PG_ASSIGN(const FileInfo found, info(at));
    if (!found.is_directory) return tl::unexpected(wrong_kind(found.kind, FileKind::directory, at));
  }
  return {};
}

// A process that may not read a directory has made nothing in it.
Result<> FileSystem::sync_if_permitted(const std::string& directory) {
  const auto synced = sync_directory(directory);
  return synced || synced.error().sys_errno == EACCES ? Result<>() : synced;
}

Result<> FileSystem::remove_tree(const std::string& path) {
  // Two may be at it at once.
  const auto unless_gone = [](Result<> done) {
    return !done && done.error().code == Errc::not_found ? Result<>() : done;
  };
  const auto what = info(path);
  if (!what) return unless_gone(tl::unexpected(what.error()));
  if (!what->is_directory) return unless_gone(unlink(path));
  const auto names = list(path);
  if (!names) return unless_gone(tl::unexpected(names.error()));
  for (const auto& name : *names) PG_CHECK(remove_tree(fmt::format("{}/{}", path, name)));
  return unless_gone(remove_directory(path));
}

}  // namespace pg
