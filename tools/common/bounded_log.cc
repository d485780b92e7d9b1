#include "tools/common/bounded_log.h"

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/format/path_names.h"

namespace pg {

BoundedLog::BoundedLog(const Env& env, std::string path, int64_t bytes_max)
    : env_(env), path_(std::move(path)), bytes_max_(bytes_max) {}

void BoundedLog::add(std::string_view text) {
  for (const char c : text) {
    if (c != '\n') begun_ += c;
    if (c == '\n' || begun_.size() == kBrokerLogLineBytesMax) {
      add_line(begun_);
      begun_.clear();
    }
  }
}

void BoundedLog::end_line() {
  if (!begun_.empty()) add_line(begun_);
  begun_.clear();
}

void BoundedLog::add_line(std::string_view line) {
  if (!write_line(line)) file_.reset();
}

Result<> BoundedLog::write_line(std::string_view line) {
  const std::string whole = fmt::format("{} {}\n", rfc3339_utc(env_.clock.wall_ms()), line);
  PG_CHECK(make_room(whole.size()));
  return file_->write_at(size_, as_bytes(whole));
}

// Looks at the file each time: somebody may have deleted it, or may append to it himself.
Result<> BoundedLog::make_room(size_t bytes) {
  for (;;) {
    if (!file_) {
      PG_ASSIGN(file_, env_.files.open(path_, OpenMode::create));
    }
    PG_ASSIGN(const FileInfo info, file_->info());
    size_ = info.size_bytes;
    if (info.links > 0 && (size_ == 0 || std::cmp_less_equal(size_ + bytes, bytes_max_))) return {};
    if (info.links > 0) PG_CHECK(env_.files.rename(path_, names::older_log(path_)));
    file_.reset();
  }
}

}  // namespace pg
