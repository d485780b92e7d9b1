#include "core/store/versioned_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/path_names.h"

namespace pg {
namespace {

constexpr int64_t kOlderVersionsKept = 2;

}  // namespace

Result<int64_t> VersionedFile::latest_version() const {
  const auto entries = env_.files.list(parent_path(path_));
  if (!entries) {
    if (entries.error().code == Errc::not_found) return 0;
    return tl::unexpected(entries.error());
  }
  int64_t latest = 0;
  for (const auto& name : *entries) {
    latest = std::max(latest, names::parse_version(name, names::last_component(path_)).value_or(0));
  }
  return latest;
}

Result<std::optional<VersionedContent>> VersionedFile::read() const {
  for (;;) {
    PG_ASSIGN(const int64_t version, latest_version());
    if (version == 0) return std::nullopt;
    auto content = read_version(version);
    if (content) return VersionedContent{version, std::move(*content)};
    if (content.error().code != Errc::not_found) return tl::unexpected(content.error());
    // Overtaken by three newer versions between the listing and the reading.
  }
}

Result<std::string> VersionedFile::read_version(int64_t version) const {
  PG_ASSIGN(const auto file, env_.files.open(names::versioned(path_, version), OpenMode::read));
  PG_ASSIGN(const FileInfo info, file->info());
  if (info.links > 1) PG_CHECK(env_.files.sync_directory(parent_path(path_)));  // its writer has not come so far
  std::string content(info.size_bytes, '\0');
  PG_ASSIGN(const size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

Result<std::string> VersionedFile::read_previous(int64_t version) const {
  return env_.files.read_all(names::versioned(path_, version - 1));
}

Result<bool> VersionedFile::compare_and_swap(int64_t current, std::string_view content) {
  auto first = swap_once(current, content);
  if (first || first.error().code != Errc::no_space) return first;
  remove_older(current + 1);  // on a full disk the version goes that is kept only for slow readers
  return swap_once(current, content);
}

Result<bool> VersionedFile::swap_once(int64_t current, std::string_view content) {
  const std::string next = names::versioned(path_, current + 1);
  // Whoever made these builds on an older version than the one to come, or is dead.
  PG_ASSIGN(const auto stale, temporaries());
  const std::string temporary = fmt::format("{}.{}.tmp", path_, uuid_text(env_.random.uuid()));
  {
    PG_ASSIGN(const auto file, env_.files.open(temporary, OpenMode::create_new));
    auto written = file->write_at(0, as_bytes(content));
    if (written) written = file->sync();
    if (!written) {
      (void)env_.files.unlink(temporary);
      return tl::unexpected(written.error());
    }
  }
  const auto linked = env_.files.link(temporary, next);
  if (!linked) {
    (void)env_.files.unlink(temporary);
    // not_found: whoever was first has cleared the others away.
    if (linked.error().code == Errc::already_exists || linked.error().code == Errc::not_found) return false;
    return tl::unexpected(linked.error());
  }
  PG_CHECK(env_.files.sync_directory(parent_path(path_)));
  (void)env_.files.unlink(temporary);
  for (const auto& name : stale) (void)env_.files.unlink(name);
  PG_ASSIGN(const int64_t latest, latest_version());
  if (latest == current + 1) {
    remove_older(latest);
    return true;
  }
  // Somebody wrote a later version already. If it was built on ours, ours stands; if ours filled the gap of a version
  // that was removed long ago, it does not. The caller finds out by reading.
  return false;
}

// What writers have not linked yet, or not let go of.
Result<std::vector<std::string>> VersionedFile::temporaries() const {
  const std::string directory = parent_path(path_), prefix = std::string(names::last_component(path_)) + ".";
  PG_ASSIGN(const auto entries, env_.files.list(directory));
  std::vector<std::string> found;
  for (const auto& name : entries) {
    if (name.starts_with(prefix) && name.ends_with(".tmp")) found.push_back(fmt::format("{}/{}", directory, name));
  }
  return found;
}

void VersionedFile::remove_older(int64_t latest) const {
  const auto entries = env_.files.list(parent_path(path_));
  if (!entries) return;
  for (const auto& name : *entries) {
    const auto version = names::parse_version(name, names::last_component(path_));
    if (version && *version < latest - kOlderVersionsKept) (void)env_.files.unlink(names::versioned(path_, *version));
  }
}

}  // namespace pg
