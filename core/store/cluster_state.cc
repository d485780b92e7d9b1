#include "core/store/cluster_state.h"

#include <fmt/format.h>

#include <array>

#include "core/format/path_names.h"
#include "core/os/boot.h"

namespace pg {
namespace {

// Under a name of its own first, in full: a store must never meet a hole of a full disk.
Result<> write_page(const Env& env, const std::string& path) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, uuid_text(env.random.uuid()));
  PG_ASSIGN(const auto file, env.files.open(temporary, OpenMode::create_new));
  PG_ASSIGN(const FileInfo info, file->info());
  PG_ASSIGN(const Uuid boot, env.boot_id());
  alignas(ClusterStatePage) std::array<std::byte, ClusterStatePage::kBytes> bytes{};
  auto* page = reinterpret_cast<ClusterStatePage*>(bytes.data());
  page->magic = ClusterStatePage::kMagic;
  page->version = ClusterStatePage::kVersion;
  std::copy(boot.begin(), boot.end(), page->boot_id);
  page->boot_id_kind = boot_id_kind(env);
  page->device = info.device;
  page->inode = info.inode;
  auto done = file->write_at(0, bytes);
  if (done) done = env.files.rename(temporary, path);
  if (!done) (void)env.files.unlink(temporary);
  return done;
}

}  // namespace

Result<std::unique_ptr<ClusterState>> ClusterState::open(const Env& env, const std::string& home) {
  std::unique_ptr<ClusterState> state(new ClusterState(env));
  const std::string path = names::cluster_state(home);
  PG_ASSIGN(const bool mapped, state->map(path));
  if (mapped) return state;
  PG_CHECK(write_page(env, path));
  // Of two who make it at once the later one's stays; the other one notices by is_stale().
  PG_ASSIGN(const bool made, state->map(path));
  if (made) return state;
  return fail(Errc::busy, "the file was replaced while it was opened", path);
}

Result<bool> ClusterState::map(const std::string& path) {
  auto file = env_.files.open(path, OpenMode::write);
  if (!file && file.error().code == Errc::not_found) return false;
  PG_CHECK(file);
  PG_ASSIGN(const FileInfo info, (*file)->info());
  if (info.size_bytes != ClusterStatePage::kBytes) return false;
  PG_ASSIGN(auto mapping, (*file)->map(ClusterStatePage::kBytes, Access::read_write));
  auto* page = reinterpret_cast<ClusterStatePage*>(mapping->data());
  if (page->magic != ClusterStatePage::kMagic || page->version != ClusterStatePage::kVersion) return false;
  PG_ASSIGN(const bool this_boot, is_this_boot(env_, page->boot_id, page->boot_id_kind, path));
  if (!this_boot || page->device != info.device || page->inode != info.inode) return false;
  file_ = std::move(*file);
  mapping_ = std::move(mapping);
  page_ = page;
  return true;
}

bool ClusterState::is_stale() const {
  const auto info = file_->info();
  return !info || info->links == 0;
}

void ClusterState::announce_metadata() {
  page_->metadata_word.fetch_add(1);
  env_.clock.wake(page_->metadata_word);
}

}  // namespace pg
