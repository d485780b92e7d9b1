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

uint64_t mixed(uint64_t value) {
  value = (value ^ value >> 31) * 0x9e3779b97f4a7c15;
  return value ^ value >> 29;
}

bool is_other_file(const StatePage& page, Offset active, const FileInfo& info) {
  const int64_t of = page.file_of.load(std::memory_order_acquire);
  const uint64_t file = page.file.load(std::memory_order_acquire);
  return of == active.value + 1 && file != 0 && page.file_of.load(std::memory_order_relaxed) == of && file != file_number(info);
}

// The checkpoint is read only where it is another one than was compared last.
Result<bool> ends_below_recovery_point(const Env& env, const PartitionFiles& files, const StatePage& page, Offset log_end) {
  PG_ASSIGN(const uint64_t now, recovery_point_file(env.files, files.log_directory));
  if (now == 0 || page.recovery_point_file.load(std::memory_order_relaxed) == now) return false;
  PG_ASSIGN(const auto point, LogDirectory(env, files.log_directory).recovery_point(files.partition));
  return point && log_end < *point;
}

}  // namespace

uint64_t file_number(const FileInfo& info) {
  return std::max<uint64_t>(1, mixed(info.inode) + mixed(static_cast<uint64_t>(info.born_ns) + 1));
}

Result<uint64_t> recovery_point_file(FileSystem& files, const std::string& log_directory) {
  const auto info = files.info(names::recovery_checkpoint(log_directory));
  if (!info && info.error().code == Errc::not_found) return 0;
  PG_CHECK(info);
  return std::max<uint64_t>(1, file_number(*info) + mixed(static_cast<uint64_t>(info->changed_ms) + 2));
}

Result<PageLook> look_at_files(const Env& env, const PartitionFiles& files, const StatePage& page, const LogPosition& position) {
  PageLook look;
  const auto info = env.files.info(names::segment(files.directory, position.active_segment, SegmentFile::log));
  if (!info && info.error().code != Errc::not_found) return tl::unexpected(info.error());
  // A file that is gone or too short is damage: readers say so, and the next writer has it recovered.
  const auto published = static_cast<uint64_t>(position.segment_bytes);
  if (!info || info->is_directory || info->size_bytes < published) return look;
  look.has_tail = info->size_bytes > published;
  if (is_other_file(page, position.active_segment, *info)) {
    look.fault = "its last segment is another file than it was";
    return look;
  }
  if (position.log_end != position.active_segment) {
    PG_ASSIGN(const bool rolled, holds_records(env.files, files.directory, position.log_end));
    if (rolled) look.fault = fmt::format("a segment with records begins at its end, offset {}", position.log_end.value);
    if (rolled) return look;
  }
  PG_ASSIGN(const bool below, ends_below_recovery_point(env, files, page, position.log_end));
  if (below) look.fault = fmt::format("it says that the log ends at offset {}, and more was on stable storage", position.log_end.value);
  return look;
}

Result<TailLook> look_behind_end(const File& log, uint64_t file_bytes, const LogPosition& position, const StatePage& page) {
  const auto end = static_cast<uint64_t>(position.segment_bytes);
  if (file_bytes <= end) return TailLook{};
  BatchScanner scanner(log, end);
  const auto first = scanner.next(file_bytes);
  if (!first && first.error().code != Errc::corrupt) return tl::unexpected(first.error());
  if (first && *first) {
    const BatchHeader& header = (*first)->header;
    const int32_t epoch = page.leader_epoch.load();
    const bool leads = page.role.load() == static_cast<uint32_t>(Role::leader);
    // A follower's batches keep the epochs that they were written in.
    const bool is_of_epoch = leads ? header.leader_epoch.value == epoch : header.leader_epoch.value <= epoch;
    const bool fits = header.base_offset == position.log_end && is_of_epoch && scanner.position() == file_bytes;
    return fits ? TailLook{Tail::batch, header} : TailLook{Tail::more};
  }
  PG_ASSIGN(const auto whole, find_intact_batch(log, end, file_bytes, Offset(0), Offset(std::numeric_limits<int64_t>::max())));
  return TailLook{whole ? Tail::more : Tail::torn};
}

}  // namespace pg
