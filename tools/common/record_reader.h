// Cuts a stream of bytes into records at a delimiter, without copying them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace pg {

class RecordReader {
 public:
  // An empty delimiter: the whole stream is one record. A record longer than `record_bytes_max` is refused before it is
  // read whole.
  RecordReader(std::string delimiter, size_t record_bytes_max);

  // Where the next bytes of the stream are to be put; never empty.
  MutableBytes space();
  // So many of them were. Records that next() has returned are gone.
  void filled(size_t bytes) { end_ += bytes; }
  // The stream has ended: what is left is the last record, though no delimiter follows.
  void finish() { finished_ = true; }

  // The next whole record, valid until space() is called; empty if more bytes are needed. limit: too long.
  Result<std::optional<std::string_view>> next();

  // Counts from 1: the record that next() returned last, or refused.
  int64_t number() const { return number_; }

 private:
  std::string delimiter_;
  size_t record_bytes_max_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;    // of the next record
  size_t scanned_ = 0;  // no delimiter begins before it
  size_t end_ = 0;
  int64_t number_ = 0;
  bool finished_ = false;
};

}  // namespace pg
