// Records to bytes on standard output, gathered into large writes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client/consumer.h"
#include "core/os/stream.h"

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
  std::string delimiter = "\n";              // after each record
  std::optional<std::string> key_delimiter;  // prints "key DELIMITER value"
  std::optional<FormatString> format;
  bool json = false;
};

class RecordPrinter {
 public:
  RecordPrinter(PrintOptions options, OutputStream out);
  // May write. The first error is final.
  Result<> print(const ConsumedRecord& record);
  // Writes what is gathered. Destroying the printer writes nothing.
  Result<> flush();

 private:
  PrintOptions options_;
  OutputStream out_;
  std::string buffer_;
};

}  // namespace pg
