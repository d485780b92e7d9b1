// Records to bytes on standard output, gathered into large writes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/stream.h"
#include "tools/common/api.h"
#include "tools/common/delimiter.h"

namespace pg {

// A compiled -f format. Nothing is added to what it says, not even a newline.
class FormatString {
 public:
  // invalid_argument names what is not understood.
  static Result<FormatString> parse(std::string_view text);
  void append(std::string& out, const ConsumedRecord& record) const;

 private:
  enum class Encoding { plain, hex, base64, json };
  struct Piece {
    char field = 0;  // the letter behind '%', or 0 for literal text
    Encoding encoding = Encoding::plain;
    std::string literal;
  };
  static void append_field(std::string& out, const Piece& piece, const ConsumedRecord& record);
  static void append_headers(std::string& out, Encoding encoding, const ConsumedRecord& record);

  std::vector<Piece> pieces_;
};

struct PrintOptions {
  Framing framing = Framing::lines;
  std::string delimiter = "\n";              // after each record, with Framing::lines
  std::optional<std::string> key_delimiter;  // prints "key DELIMITER value"
  std::optional<FormatString> format;
  bool json = false;
};

// Bytes on their way to standard output. Large values are written without being copied first. The first error is final:
// what was to be written then is lost, and nobody may take a later success for its own.
class OutputBuffer {
 public:
  explicit OutputBuffer(OutputStream out) : out_(std::move(out)) {}
  // The bytes of `first`, then those of `second`.
  Result<> append(std::string_view first, std::string_view second = {}) {
    if (first.size() + second.size() > kBytes - used_ || !buffer_) [[unlikely]]
      return append_slowly(first, second);
    used_ += first.copy(buffer_.get() + used_, first.size());  // unlike memcpy, also from nowhere to nowhere
    used_ += second.copy(buffer_.get() + used_, second.size());
    return {};
  }
  Result<> flush();

 private:
  static constexpr size_t kBytes = 128 << 10;
  Result<> append_slowly(std::string_view first, std::string_view second);
  Result<> write(std::string_view bytes);

  OutputStream out_;
  std::optional<Error> failed_;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0;
};

class RecordPrinter {
 public:
  RecordPrinter(PrintOptions options, OutputStream out);
  // May write. The first error is final.
  Result<> print(const ConsumedRecord& record);
  // Writes what is gathered. Destroying the printer writes nothing.
  Result<> flush() { return out_.flush(); }

 private:
  Result<> append_length(const ConsumedRecord& record);

  PrintOptions options_;
  OutputBuffer out_;
  std::string text_;  // a formatted record, reused
};

}  // namespace pg
