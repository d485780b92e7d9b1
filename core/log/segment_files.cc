#include "core/log/segment_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/format/index_entry.h"
#include "core/format/path_names.h"
#include "core/log/side_file.h"

namespace pg {
namespace {

using names::SegmentFile;

// Indexes are searched by pread of one entry at a time: a lookup touches a dozen at most, and needs no map.
template <class Entry>
std::optional<Entry> entry_at(const File& index, uint64_t n) {
  std::array<std::byte, Entry::kBytes> bytes;
  const auto got = index.read_at(n * Entry::kBytes, bytes);
  if (!got || *got != bytes.size()) return {};
  return Entry::read(bytes.data());
}

// The last entry that `is_below`, in an index whose entries ascend.
template <class Entry, class Predicate>
std::optional<Entry> last_below(FileSystem& files, const std::string& path, Predicate is_below) {
  const auto index = files.open(path, OpenMode::read);
  if (!index) return {};
  const auto info = (*index)->info();
  if (!info) return {};
  uint64_t low = 0, high = info->size_bytes / Entry::kBytes;
  std::optional<Entry> best;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const auto entry = entry_at<Entry>(**index, middle);
    if (!entry) return best;
    if (is_below(*entry)) {
      best = entry;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

// Whether the error says that no file of ours is there: something else, or a file that belongs to another user.
bool is_no_file(const Error& error) {
  const int number = error.sys_errno;
  return error.code == Errc::io &&
         (number == 0 || number == EISDIR || number == ELOOP || number == ENXIO || number == EACCES);
}

Result<std::unique_ptr<File>> open_index(const Env& env, const std::string& path) {
  auto index = env.files.open(path, OpenMode::create);
  if (index || !is_no_file(index.error())) return index;
  const auto aside = move_aside(env.files, path);
  if (!aside) return index;
  env.notice(fmt::format("an index is made again from its log: what stood in its place is now {}", *aside));
  return env.files.open(path, OpenMode::create);
}

}  // namespace

Result<std::vector<Offset>> list_segments(FileSystem& files, const std::string& directory) {
  PG_ASSIGN(const auto entries, files.list(directory));
  std::vector<Offset> bases;
  for (const auto& name : entries) {
    if (const auto base = names::parse_log(name)) bases.push_back(*base);
  }
  std::sort(bases.begin(), bases.end());
  return bases;
}

std::optional<Offset> segment_of(const std::vector<Offset>& bases, Offset offset) {
  const auto after = std::upper_bound(bases.begin(), bases.end(), offset);
  if (after == bases.begin()) return {};
  return *std::prev(after);
}

std::optional<IndexHint> lookup_offset(FileSystem& files, const std::string& directory, Offset base, Offset target) {
  const auto entry =
      last_below<OffsetIndexEntry>(files, names::segment(directory, base, SegmentFile::offset_index),
                                   [&](const OffsetIndexEntry& e) { return base + e.relative_offset <= target; });
  if (!entry || entry->position < 0) return {};
  return IndexHint{static_cast<uint64_t>(entry->position), base + entry->relative_offset};
}

std::optional<TimeHint> lookup_time(FileSystem& files, const std::string& directory, Offset base,
                                    int64_t timestamp_ms) {
  const auto entry = last_below<TimeIndexEntry>(files, names::segment(directory, base, SegmentFile::time_index),
                                                [&](const TimeIndexEntry& e) { return e.timestamp_ms < timestamp_ms; });
  if (!entry || entry->relative_offset < 0) return {};
  return TimeHint{entry->timestamp_ms, base + entry->relative_offset};
}

Result<ActiveSegment> open_active_segment(const Env& env, const std::string& directory, Offset base) {
  ActiveSegment segment;
  segment.base = base;
  PG_ASSIGN(segment.log, env.files.open(names::segment(directory, base, SegmentFile::log), OpenMode::write));
  PG_ASSIGN(segment.offset_index, open_index(env, names::segment(directory, base, SegmentFile::offset_index)));
  PG_ASSIGN(segment.time_index, open_index(env, names::segment(directory, base, SegmentFile::time_index)));
  return segment;
}

Result<> ActiveSegment::sync_indexes() {
  PG_CHECK(offset_index->sync());
  return time_index->sync();
}

Result<> create_segment(FileSystem& files, const std::string& directory, Offset base) {
  for (const auto kind : {SegmentFile::log, SegmentFile::offset_index, SegmentFile::time_index}) {
    PG_ASSIGN(const auto file, files.open(names::segment(directory, base, kind), OpenMode::create_new));
    // A name may be on the disk before its file is. The indexes need no sync, since they can be made again.
    if (kind == SegmentFile::log) PG_CHECK(file->sync());
  }
  return files.sync_directory(directory);
}

Result<bool> holds_records(FileSystem& files, const std::string& directory, Offset base) {
  const auto info = files.info(names::segment(directory, base, SegmentFile::log));
  if (!info && info.error().code == Errc::not_found) return false;
  PG_CHECK(info);
  return info->size_bytes > 0;
}

Result<> remove_segment(FileSystem& files, const std::string& directory, Offset base) {
  for (const auto kind :
       {SegmentFile::log, SegmentFile::offset_index, SegmentFile::time_index, SegmentFile::snapshot}) {
    const std::string path = names::segment(directory, base, kind);
    const auto removed = files.unlink(path);
    if (!removed && removed.error().sys_errno == EISDIR && kind != SegmentFile::log)
      PG_CHECK(move_aside(files, path));
    else if (!removed && removed.error().code != Errc::not_found)
      return removed;
  }
  return {};
}

void IndexWriter::add_batch(LogPosition& position, Offset last_offset, int64_t max_timestamp_ms, int64_t size_bytes) {
  if (max_timestamp_ms > position.max_timestamp_ms) {
    position.max_timestamp_ms = max_timestamp_ms;
    position.max_timestamp_offset = last_offset;
  }
  if (position.first_timestamp_ms < 0) position.first_timestamp_ms = max_timestamp_ms;
  if (position.bytes_since_index_entry > interval_bytes_) {
    std::array<std::byte, OffsetIndexEntry::kBytes> bytes;
    OffsetIndexEntry{static_cast<int32_t>(last_offset - position.active_segment),
                     static_cast<int32_t>(position.segment_bytes)}
        .write(bytes.data());
    if (offset_index_.write_at(static_cast<uint64_t>(position.offset_index_bytes), bytes)) {
      position.offset_index_bytes += OffsetIndexEntry::kBytes;
      position.bytes_since_index_entry = 0;
      add_time_entry(position);
    }
  }
  position.bytes_since_index_entry += size_bytes;
  position.segment_bytes += size_bytes;
}

void IndexWriter::close(LogPosition& position) {
  add_time_entry(position);
  // Drop what a writer that died left behind the last entry.
  (void)offset_index_.truncate(static_cast<uint64_t>(position.offset_index_bytes));
  (void)time_index_.truncate(static_cast<uint64_t>(position.time_index_bytes));
}

void IndexWriter::add_time_entry(LogPosition& position) {
  if (position.max_timestamp_ms <= position.last_time_entry_ms) return;
  std::array<std::byte, TimeIndexEntry::kBytes> bytes;
  TimeIndexEntry{position.max_timestamp_ms,
                 static_cast<int32_t>(position.max_timestamp_offset - position.active_segment)}
      .write(bytes.data());
  if (!time_index_.write_at(static_cast<uint64_t>(position.time_index_bytes), bytes)) return;
  position.time_index_bytes += TimeIndexEntry::kBytes;
  position.last_time_entry_ms = position.max_timestamp_ms;
}

}  // namespace pg
