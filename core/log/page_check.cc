#include "core/log/page_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/format/path_names.h"
#include "core/log/batch_scanner.h"
#include "core/log/log_directory.h"
#include "core/log/segment_files.h"

namespace pg {
namespace {

using names::SegmentFile;

// More than a tick of the clock that a file system takes its times from.
constexpr int64_t kFileClockTickMs = 100;

uint64_t mixed(uint64_t value) {
  value = (value ^ value >> 31) * 0x9e3779b97f4a7c15;
  return value ^ value >> 29;
}

bool is_other_file(const StatePage& page, Offset active, const FileInfo& info) {
  const int64_t of = page.file_of.load(std::memory_order_acquire);
  const uint64_t file = page.file.load(std::memory_order_acquire);
  return of == active.value + 1 && file != 0 && page.file_of.load(std::memory_order_relaxed) == of &&
         file != file_number(info);
}

// Another number for each version of the file or directory.
uint64_t version_of(const FileInfo& info) {
  return file_number(info) + mixed(static_cast<uint64_t>(info.changed_ms) + 2);
}

// 0: there is no such file.
Result<uint64_t> version_of(FileSystem& files, const std::string& path) {
  const auto info = files.info(path);
  if (!info && info.error().code == Errc::not_found) return 0;
  PG_CHECK(info);
  return version_of(*info);
}

// Whether segments lie behind the active one, in which no record is: a log that was copied in beside it. A directory is
// listed only if it has changed since that was last asked, for the start of every producer would pay for it.
Result<bool> has_later_segments(const Env& env, const std::string& directory, const StatePage& page, Offset active,
                                PageLook& look) {
  PG_ASSIGN(const FileInfo info, env.files.info(directory));
  const uint64_t version = version_of(info);
  if (page.directory.load(std::memory_order_relaxed) == version) return false;
  if (page.cutting.load(std::memory_order_acquire) != 0) return false;
  PG_ASSIGN(const auto bases, list_segments(env.files, directory));
  // A later change may have the same time as one of just now: the clock of a file system ticks every few milliseconds.
  const bool is_settled = env.clock.wall_ms() - info.changed_ms > kFileClockTickMs;
  if (is_settled) look.directory = version;
  return !bases.empty() && bases.back() > active;
}

// Whether a batch with a right CRC begins at `from`, whatever its offsets are.
Result<bool> is_whole_batch(const File& log, uint64_t from, uint64_t limit) {
  std::vector<std::byte> bytes(kBatchHeaderBytes);
  if (limit - from < bytes.size()) return false;
  PG_ASSIGN(const size_t got, log.read_at(from, bytes));
  if (got < bytes.size()) return false;
  const BatchHeader header = read_batch_header(bytes);
  if (header.magic != kBatchMagic || header.batch_length <= 0 || header.batch_length > kBatchBytesMax) return false;
  const size_t size = header.size_bytes();
  if (size < kBatchHeaderBytes || limit - from < size) return false;
  bytes.resize(size);
  PG_ASSIGN(const size_t read, log.read_at(from, bytes));
  return read == bytes.size() && batch_crc_matches(bytes);
}

// The checkpoints are read only where they are others than were compared last.
Result<> compare_checkpoints(const Env& env, const PartitionFiles& files, const StatePage& page,
                             const LogPosition& position, PageLook& look) {
  PG_ASSIGN(look.checkpoints, checkpoint_versions(env.files, files.log_directory));
  if (page.checkpoints.load(std::memory_order_relaxed) == look.checkpoints) return {};
  Env quiet = env;
  quiet.notice = [](const std::string&) {
  };  // a damaged checkpoint contradicts nothing; whoever writes it says that it is damaged
  const LogDirectory directory(quiet, files.log_directory);
  PG_ASSIGN(const auto point, directory.recovery_point(files.partition));
  if (point && position.log_end < *point) {
    look.fault = ends_below_recovery_point(position.log_end);
  }
  PG_ASSIGN(const auto start, directory.log_start(files.partition));
  if (start && *start > position.log_start && *start <= position.log_end) look.log_start = start;
  return {};
}

}  // namespace

std::string ends_below_recovery_point(Offset log_end) {
  return fmt::format("it says that the log ends at offset {}, and more was on stable storage", log_end.value);
}

uint64_t file_number(const FileInfo& info) {
  return std::max<uint64_t>(1, mixed(info.inode) + mixed(static_cast<uint64_t>(info.born_ns) + 1));
}

Result<uint64_t> checkpoint_versions(FileSystem& files, const std::string& log_directory) {
  PG_ASSIGN(const uint64_t recovery_points, version_of(files, names::recovery_checkpoint(log_directory)));
  PG_ASSIGN(const uint64_t log_starts, version_of(files, names::log_start_checkpoint(log_directory)));
  return mixed(recovery_points) + log_starts;
}

Result<PageLook> look_at_files(const Env& env, const PartitionFiles& files, const StatePage& page,
                               const LogPosition& position) {
  PageLook look;
  const auto info = env.files.info(names::segment(files.directory, position.active_segment, SegmentFile::log));
  if (!info && info.error().code != Errc::not_found) return tl::unexpected(info.error());
  // A file that is gone or too short is damage: readers report it, and the next writer recovers the partition.
  const auto published = static_cast<uint64_t>(position.segment_bytes);
  if (!info || info->is_directory || info->size_bytes < published) return look;
  look.has_tail = info->size_bytes > published;
  if (is_other_file(page, position.active_segment, *info)) {
    look.fault = kOtherFile;
    return look;
  }
  if (published == 0) {
    PG_ASSIGN(const bool later, has_later_segments(env, files.directory, page, position.active_segment, look));
    if (later) look.fault = fmt::format("segments lie behind its end, offset {}", position.log_end.value);
    if (later) return look;
  }
  if (position.log_end != position.active_segment) {
    const auto next = env.files.info(names::segment(files.directory, position.log_end, SegmentFile::log));
    // One without records may be in the making, which a mark tells.
    const bool rolled = next && (next->size_bytes > 0 || page.rolling.load(std::memory_order_acquire) == 0);
    if (rolled) look.fault = fmt::format("a segment begins at its end, offset {}", position.log_end.value);
    if (rolled) return look;
  }
  PG_CHECK(compare_checkpoints(env, files, page, position, look));
  return look;
}

Result<TailLook> look_behind_end(const File& log, uint64_t file_bytes, const LogPosition& position,
                                 const StatePage& page) {
  const auto end = static_cast<uint64_t>(position.segment_bytes);
  if (file_bytes <= end) return TailLook{};
  BatchScanner scanner(log, end);
  const auto first = scanner.next(file_bytes);
  if (!first && first.error().code != Errc::corrupt) return tl::unexpected(first.error());
  if (first && *first) {
    const BatchHeader& header = (*first)->header;
    const int32_t epoch = page.leader_epoch.load();
    const bool leads = page.role.load() == static_cast<uint32_t>(Role::leader);
    // In a follower's log, batches keep the epochs that they were written in.
    const bool is_of_epoch = leads ? header.leader_epoch.value == epoch : header.leader_epoch.value <= epoch;
    const bool fits = header.base_offset == position.log_end && is_of_epoch && scanner.position() == file_bytes;
    return fits ? TailLook{Tail::batch, header} : TailLook{Tail::more};
  }
  PG_ASSIGN(const bool is_foreign, is_whole_batch(log, end, file_bytes));
  if (is_foreign) return TailLook{Tail::more};
  PG_ASSIGN(const auto whole,
            find_intact_batch(log, end, file_bytes, Offset(0), Offset(std::numeric_limits<int64_t>::max())));
  return TailLook{whole ? Tail::more : Tail::torn};
}

}  // namespace pg
