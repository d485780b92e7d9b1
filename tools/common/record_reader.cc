#include "tools/common/record_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pg {
namespace {

constexpr size_t kReadBytes = 128 << 10;

}  // namespace

RecordReader::RecordReader(std::string delimiter, size_t record_bytes_max, Framing framing)
    : delimiter_(std::move(delimiter)), record_bytes_max_(record_bytes_max), framing_(framing) {}

MutableBytes RecordReader::space() {
  const size_t have = end_ - begin_;
  if (begin_ == end_) begin_ = scanned_ = end_ = 0;
  if (capacity_ - end_ < kReadBytes) {
    if (capacity_ < have + kReadBytes) {
      const size_t wanted = std::max(2 * capacity_, have + 2 * kReadBytes);
      std::unique_ptr<char[]> larger(new char[wanted]);  // uninitialised: untouched pages cost nothing
      if (have > 0) std::memcpy(larger.get(), buffer_.get() + begin_, have);
      buffer_ = std::move(larger);
      capacity_ = wanted;
    } else if (have > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, have);
    }
    scanned_ -= begin_;
    begin_ = 0;
    end_ = have;
  }
  first_ = begin_;
  return {reinterpret_cast<std::byte*>(buffer_.get()) + end_, kReadBytes};
}

Result<std::optional<std::string_view>> RecordReader::next() {
  return framing_ == Framing::lines ? next_delimited() : next_frame();
}

tl::unexpected<Error> RecordReader::too_long() {
  ++number_;
  return fail(Errc::limit,
              fmt::format("the record is larger than {} bytes, the most this topic takes", record_bytes_max_));
}

Result<std::optional<std::string_view>> RecordReader::next_delimited() {
  const std::string_view rest(buffer_.get() + begin_, end_ - begin_);
  size_t length = std::string_view::npos;
  if (delimiter_.size() == 1) {
    length = rest.find(delimiter_.front(), scanned_ - begin_);
  } else if (!delimiter_.empty()) {
    length = rest.find(delimiter_, scanned_ - begin_);
  }
  const bool delimited = length != std::string_view::npos;
  if (!delimited) {
    // A delimiter may have begun in the last bytes.
    scanned_ = std::max(begin_, end_ - std::min(end_, delimiter_.empty() ? 0 : delimiter_.size() - 1));
    if (rest.size() > record_bytes_max_) return too_long();
    if (!finished_ || rest.empty()) return std::nullopt;
    length = rest.size();
  }
  ++number_;
  last_ = begin_;
  begin_ += length + (delimited ? delimiter_.size() : 0);
  scanned_ = begin_;
  return rest.substr(0, length);
}

Result<std::optional<std::string_view>> RecordReader::next_frame() {
  const std::string_view rest(buffer_.get() + begin_, end_ - begin_);
  size_t wanted = kFrameLengthBytes;
  if (rest.size() >= kFrameLengthBytes) {
    const size_t length = load_big_endian<uint32_t>(as_bytes(rest).data());
    if (length > record_bytes_max_) return too_long();
    wanted += length;
  }
  if (rest.size() < wanted) {
    if (!finished_ || rest.empty()) return std::nullopt;
    ++number_;
    return fail(Errc::invalid_argument,
                fmt::format("the input ends after {} of the record's {} bytes, which begin with its length",
                            rest.size(), wanted));
  }
  ++number_;
  last_ = begin_;
  begin_ += wanted;
  scanned_ = begin_;
  return rest.substr(kFrameLengthBytes, wanted - kFrameLengthBytes);
}

}  // namespace pg
