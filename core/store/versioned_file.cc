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
    auto content = env_.files.read_all(names::versioned(path_, version));
    if (content) return VersionedContent{version, std::move(*content)};
    if (content.error().code != Errc::not_found) return tl::unexpected(content.error());
    // Overtaken by three newer versions between the listing and the reading.
  }
}

Result<std::string> VersionedFile::read_previous(int64_t version) const {
  return env_.files.read_all(names::versioned(path_, version - 1));
}

Result<bool> VersionedFile::compare_and_swap(int64_t current, std::string_view content) {
  const std::string next = names::versioned(path_, current + 1);
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
  PG_CHECK(env_.files.unlink(temporary));
  if (!linked && linked.error().code == Errc::already_exists) return false;
  PG_CHECK(linked);
  PG_CHECK(env_.files.sync_directory(parent_path(path_)));
  PG_ASSIGN(const int64_t latest, latest_version());
  if (latest == current + 1) {
    remove_older(latest);
    return true;
  }
  // Somebody wrote a later version already. If it was built on ours, ours stands; if ours filled the gap of a version
  // that was removed long ago, it does not. The caller finds out by reading.
  return false;
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
