// Cuts a stream of bytes into records, at a delimiter or by the lengths that precede them, without copying them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "tools/common/delimiter.h"

namespace pg {

class RecordReader {
 public:
  // An empty delimiter: the whole stream is one record. Framing::len32be needs no delimiter. A record longer than
  // `record_bytes_max` is refused before it is read whole.
  RecordReader(std::string delimiter, size_t record_bytes_max, Framing framing = Framing::lines);

  // Where the next bytes of the stream are to be put; never empty.
  MutableBytes space();
  // So many of them were. Records that next() has returned are gone.
  void filled(size_t bytes) { end_ += bytes; }
  // The stream has ended: what is left is the last record, though no delimiter follows.
  void finish() { finished_ = true; }

  // The next whole record, valid until space() is called; empty if more bytes are needed. limit: too long.
  // invalid_argument: the stream ends in the middle of a frame.
  Result<std::optional<std::string_view>> next();

  // Takes the record back that next() returned last.
  void refuse() { begin_ = scanned_ = last_; }
  // The bytes of the stream that make up the records which next() has returned since space() was called.
  std::string_view taken() const { return {buffer_.get() + first_, begin_ - first_}; }

  // Counts from 1: the record that next() returned last, or refused.
  int64_t number() const { return number_; }

 private:
  Result<std::optional<std::string_view>> next_delimited();
  Result<std::optional<std::string_view>> next_frame();
  tl::unexpected<Error> too_long();

  std::string delimiter_;
  size_t record_bytes_max_;
  Framing framing_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t first_ = 0;    // of what space() has not given away
  size_t last_ = 0;     // begin of the record that was returned last
  size_t begin_ = 0;    // of the next record
  size_t scanned_ = 0;  // no delimiter begins before it
  size_t end_ = 0;
  int64_t number_ = 0;
  bool finished_ = false;
};

}  // namespace pg
