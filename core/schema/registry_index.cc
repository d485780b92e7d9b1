#include "core/schema/registry_index.h"

#include "core/base/bytes.h"
#include "core/format/path_names.h"

namespace pg {
namespace {

// A replica that is copied again may hold, in the segment that it appends to, what its leader has compacted long ago;
// but deletions stay in a log for a day (delete.retention.ms).
constexpr int64_t kAgeMaxMs = int64_t{12} * 60 * 60 * 1000;
constexpr size_t kNoteBytes = 40;

std::string write_note(const TablePlace& place, int64_t wall_ms) {
  std::string note(kNoteBytes, '\0');
  auto* at = reinterpret_cast<std::byte*>(note.data());
  std::memcpy(at, place.topic.data(), place.topic.size());
  store_big_endian(at + 16, place.next.value);
  store_big_endian(at + 24, place.leader_epoch.value);
  store_big_endian(at + 28, place.crc);
  store_big_endian(at + 32, wall_ms);
  return note;
}

Result<> write_rows(FileSystem& files, const std::string& path, const std::string& note, const RegistryView& view) {
  PG_ASSIGN(const auto writer, SortedFileWriter::create(files, path, note));
  Result<> written;
  view.for_all([&](std::string_view key, std::string_view value) {
    written = writer->add(key, value);
    return written.has_value();
  });
  PG_CHECK(written);
  return writer->finish();
}

}  // namespace

std::optional<RegistryIndex> open_registry_index(const Home& home) {
  auto file = SortedFile::open(home.env().files, names::schema_index(home.path()));
  if (!file || (*file)->note().size() != kNoteBytes) return std::nullopt;
  const auto* at = as_bytes((*file)->note()).data();
  TablePlace place;
  std::memcpy(place.topic.data(), at, place.topic.size());
  place.next = Offset(load_big_endian<int64_t>(at + 16));
  place.leader_epoch = LeaderEpoch(load_big_endian<int32_t>(at + 24));
  place.crc = load_big_endian<uint32_t>(at + 28);
  const int64_t age_ms = home.env().clock.wall_ms() - load_big_endian<int64_t>(at + 32);
  if (age_ms < 0 || age_ms > kAgeMaxMs) return std::nullopt;
  return RegistryIndex{place, std::move(*file)};
}

void write_registry_index(const Home& home, const TablePlace& place, const RegistryView& view) {
  FileSystem& files = home.env().files;
  (void)files.make_directory(names::locks_directory(home.path()));
  auto lock = files.open_lock(names::schema_index_lock(home.path()), Access::read_write);
  if (!lock) return;
  const auto mine = (*lock)->try_lock(0, LockMode::exclusive);
  if (!mine || !*mine) return;
  const std::string path = names::new_schema_index(home.path());
  const bool written =
      write_rows(files, path, write_note(place, home.env().clock.wall_ms()), view) && !view.is_damaged();
  if (!written)
    (void)files.unlink(path);  // its place on a full disk may be needed
  else
    (void)files.rename(path, names::schema_index(home.path()));
}

}  // namespace pg
