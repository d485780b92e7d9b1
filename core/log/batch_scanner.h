// Reads the batches of one segment in order, by pread into a reused buffer, checking every CRC.
//
// Reading goes by pread and not through a map: touching a page of a fresh map costs six times what pread does per page,
// and a file that somebody cuts short is then an error and not a SIGBUS.
#pragma once

#include <memory>
#include <optional>

#include "core/format/record_batch.h"
#include "core/os/file_system.h"

namespace pg {

struct ScannedBatch {
  BatchHeader header;
  uint64_t position = 0;  // of its first byte in the file
  ByteView bytes;         // valid until the scanner is used again
};

class BatchScanner {
 public:
  // Borrows `file`, which must outlive the scanner.
  explicit BatchScanner(const File& file, uint64_t position = 0) : file_(&file), position_(position) {}

  // The byte position of the next batch.
  uint64_t position() const { return position_; }
  void seek(uint64_t position);

  // The next batch of those that end at or before byte `limit`; empty at `limit`. `corrupt`, with the position of the
  // batch, if what is there is no intact batch; `unsupported_version`, with it too, if it is an intact message of
  // Kafka's formats 0 or 1, which is no damage and stays as it is. The scanner then stays where it is.
  Result<std::optional<ScannedBatch>> next(uint64_t limit);

  // Like next, but reads no more than the header and leaves the CRC unchecked: for tools that look at damage.
  Result<std::optional<ScannedBatch>> next_header(uint64_t limit);
  // Moves past the batch that next_header returned.
  void skip(const ScannedBatch& batch);

 private:
  // Makes at least `bytes` available at the current position, reading ahead up to `limit`.
  Result<> need(size_t bytes, uint64_t limit);
  tl::unexpected<Error> damage(const char* why) const;
  tl::unexpected<Error> no_batch(const char* why, uint64_t limit);

  const File* file_;
  uint64_t position_;
  // buffer_[begin_, end_) are the file's bytes from position_ on.
  std::unique_ptr<std::byte[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

// The byte position of the first intact batch that starts at or after byte `from`, ends at or before `limit` and has
// its base offset in [offset_min, offset_max]: how a reader finds its footing behind damage. Looks at every byte. The
// base offset lies outside the CRC, so it is believed only within bounds.
Result<std::optional<uint64_t>> find_intact_batch(const File& file, uint64_t from, uint64_t limit, Offset offset_min,
                                                  Offset offset_max);

// No offset behind `bytes` of log that begin with offset `first` is larger: every record takes more than a byte.
inline Offset offset_limit(Offset first, uint64_t bytes) { return first + static_cast<int64_t>(bytes); }

}  // namespace pg
