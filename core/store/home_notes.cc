#include "core/store/home_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

constexpr size_t kNotesMax = 64;  // with more, useless ones are removed

uint64_t hash_of(std::string_view text) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

// A note has the boot id, since a /dev/shm that is a directory on a disk outlives the boot.
std::string boot_text(const Env& env) {
  const auto boot = env.boot_id();
  return boot ? uuid_text(*boot) : "";
}

std::string identity_text(const std::optional<DirectoryIdentity>& identity) {
  return identity ? fmt::format("{}:{}:{}", identity->device, identity->inode, identity->born_ms) : "";
}

std::optional<DirectoryIdentity> parse_identity(std::string_view text) {
  const auto fields = split(text, ':');
  if (fields.size() != 3) return std::nullopt;
  const auto device = parse_integer(fields[0]), inode = parse_integer(fields[1]), born_ms = parse_integer(fields[2]);
  if (!device || !inode || !born_ms) return std::nullopt;
  return DirectoryIdentity{static_cast<uint64_t>(*device), static_cast<uint64_t>(*inode), *born_ms};
}

// Whether the directory at the path of a noted one may have been made there by hand after the note. An older directory
// was there all the time, below a disk that was mounted then.
bool may_be_made_again(const std::optional<DirectoryIdentity>& noted, const std::optional<DirectoryIdentity>& now,
                       int64_t noted_ms) {
  if (!noted || noted == now) return true;
  return now && now->device == noted->device && (now->born_ms == 0 || now->born_ms >= noted_ms);
}

}  // namespace

HomeNotes::HomeNotes(const Env& env, const std::string& home) : env_(env) {
  if (env.mounts.notes.empty()) return;
  const auto full = full_path(home);
  if (!full) return;
  path_ = *full;
  prefix_ = fmt::format("{:016x}-", hash_of(path_));
}

std::string HomeNotes::note_file(const Uuid& cluster) const {
  return env_.mounts.notes + "/" + prefix_ + uuid_text(cluster);
}

void HomeNotes::leave(const ClusterMetadata& cluster, bool anew) const {
  if (path_.empty()) return;
  const std::string file = note_file(cluster.id);
  if (!anew && env_.files.info(file)) return;
  if (!env_.mounts.open_notes()) return;
  remove_useless();
  std::string text = fmt::format("home={}\ncluster={}\n", path_, uuid_text(cluster.id));
  for (const auto& broker : cluster.brokers) {
    if (!broker.log_directory.empty()) text += fmt::format("log-dir={}\n", broker.log_directory);
  }
  text += fmt::format("boot={}\nat={}\nin={}\nnoted={}\n", boot_text(env_), identity_text(env_.mounts.identify(path_)),
                      identity_text(env_.mounts.identify(parent_path(path_))), env_.clock.wall_ms());
  // Written under another name first, so that nobody reads half of it.
  const std::string temporary = fmt::format("{}.{}.tmp", file, uuid_text(env_.random.uuid()));
  const auto made = env_.files.open(temporary, OpenMode::create_new);
  if (!made || !(*made)->write_at(0, as_bytes(text)) || !env_.files.rename(temporary, file))
    (void)env_.files.unlink(temporary);
}

void HomeNotes::broker_started(const Uuid& cluster, BrokerId broker) const {
  if (!path_.empty() && env_.mounts.open_notes())
    (void)env_.files.open(fmt::format("{}.broker-{}", note_file(cluster), broker.value), OpenMode::create);
}

void HomeNotes::broker_stopped(const Uuid& cluster, BrokerId broker) const {
  if (!path_.empty()) (void)env_.files.unlink(fmt::format("{}.broker-{}", note_file(cluster), broker.value));
}

std::optional<HomeNote> HomeNotes::read(const std::string& file) const {
  const auto text = env_.files.read_all(file);
  if (!text) return std::nullopt;
  HomeNote note;
  note.file = file;
  for (const auto line : split(*text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "home") note.path = value;
    if (name == "boot" && value != boot_text(env_)) return std::nullopt;
    if (name == "cluster") note.cluster = parse_uuid(value).value_or(Uuid{});
    if (name == "log-dir") note.log_directories.emplace_back(value);
    if (name == "at") note.home = parse_identity(value);
    if (name == "in") note.parent = parse_identity(value);
    if (name == "noted") note.noted_ms = parse_integer(value).value_or(0);
  }
  return note;
}

std::vector<HomeNote> HomeNotes::read_all(const std::string& prefix) const {
  std::vector<HomeNote> notes;
  if (path_.empty() || !env_.mounts.open_notes()) return notes;
  const auto names = env_.files.list(env_.mounts.notes);
  if (!names) return notes;
  for (const auto& name : *names) {
    if (!name.starts_with(prefix) || name.find('.') != std::string::npos) continue;
    if (auto note = read(env_.mounts.notes + "/" + name)) notes.push_back(std::move(*note));
  }
  return notes;
}

std::vector<std::string> HomeNotes::log_directories_left(const HomeNote& note) const {
  std::vector<std::string> left;
  for (const auto& directory : note.log_directories) {
    const auto text = env_.files.read_all(names::meta_properties(directory));
    const auto owner = text ? parse_meta_properties(*text) : fail(Errc::not_found, "");
    if (owner && owner->cluster_id == note.cluster) left.push_back(directory);
  }
  return left;
}

bool HomeNotes::had_running_brokers(const HomeNote& note) const {
  const auto names = env_.files.list(env_.mounts.notes);
  const std::string prefix = std::string(names::last_component(note.file)) + ".broker-";
  return names && std::any_of(names->begin(), names->end(), [&](const auto& name) { return name.starts_with(prefix); });
}

std::string HomeNotes::what_is_gone(const HomeNote& note, bool by_name) const {
  const std::string of = fmt::format("in this boot it was the home of cluster {}", uuid_text(note.cluster));
  if (const auto left = log_directories_left(note); !left.empty()) {
    std::string list;
    for (const auto& directory : left) list += (list.empty() ? "" : ", ") + directory;
    return fmt::format("{}, whose log directories still exist: {}", of, list);
  }
  const auto now = env_.mounts.identify(note.path), parent = env_.mounts.identify(parent_path(note.path));
  const bool parent_is_gone = !parent && note.parent;
  const auto above = env_.mounts.identify(nearest_existing(env_.files, note.path));
  const bool moved = parent_is_gone ? above && above->device != note.parent->device
                                    : !may_be_made_again(note.parent, parent, note.noted_ms);
  if (moved || (now && !may_be_made_again(note.home, now, note.noted_ms)))
    return of + ", and that is gone: is its disk mounted?";
  if (!by_name && had_running_brokers(note))
    return of + ", which was removed while brokers of it ran: 'pg-cluster init' makes a new cluster there";
  return {};
}

std::string HomeNotes::what_is_gone(bool by_name) const {
  if (path_.empty()) return {};
  const std::string resolved = env_.mounts.resolve(path_);
  for (const auto& note : read_all("")) {
    if (note.path != path_ && env_.mounts.resolve(note.path) != resolved) continue;
    const std::string why = what_is_gone(note, by_name);
    if (!why.empty()) return fmt::format("{} (to forget that home, delete {})", why, note.file);
  }
  return {};
}

std::string HomeNotes::home_of(const Uuid& cluster) const {
  for (const auto& note : read_all("")) {
    if (note.cluster == cluster) return note.path;
  }
  return {};
}

void HomeNotes::forget_others(const Uuid& cluster) const {
  for (const auto& note : read_all(prefix_)) {
    if (note.path == path_ && note.cluster != cluster) remove(note);
  }
}

void HomeNotes::remove(const HomeNote& note) const {
  const auto names = env_.files.list(env_.mounts.notes);
  if (!names) return;
  const std::string name(names::last_component(note.file));
  for (const auto& other : *names) {
    if (other == name || other.starts_with(name + ".")) (void)env_.files.unlink(env_.mounts.notes + "/" + other);
  }
}

// A note is useless if its home was removed and another one may be made in its place, or if the directory above is
// gone, too, so that none can be made.
void HomeNotes::remove_useless() const {
  const auto names = env_.files.list(env_.mounts.notes);
  if (!names || names->size() < kNotesMax) return;
  for (const auto& note : read_all("")) {
    const bool is_useless =
        !env_.files.info(parent_path(note.path)) || (!env_.files.info(note.path) && what_is_gone(note, false).empty());
    if (is_useless) remove(note);
  }
}

}  // namespace pg
