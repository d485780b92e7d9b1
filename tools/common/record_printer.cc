#include "tools/common/record_printer.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/base/text.h"
#include "tools/common/delimiter.h"
#include "tools/common/json_record.h"

namespace pg {
namespace {

constexpr std::string_view kFields = "topkevsTdhKS";
constexpr std::string_view kEncodedFields = "kvsh";

}  // namespace

Result<FormatString> FormatString::parse(std::string_view text) {
  FormatString format;
  const auto literal = [&format](char c) {
    if (format.pieces_.empty() || format.pieces_.back().field != 0) format.pieces_.emplace_back();
    format.pieces_.back().literal += c;
  };
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view here = rest;
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\\') {
      const auto byte = take_escape(rest);
      if (!byte)
        return fail(Errc::invalid_argument,
                    fmt::format("format: '{}' is not an escape; there are \\n \\t \\0 \\\\ \\xHH", here.substr(0, 2)));
      literal(*byte);
    } else if (c != '%') {
      literal(c);
    } else if (rest.starts_with('%')) {
      rest.remove_prefix(1);
      literal('%');
    } else if (rest.empty() || kFields.find(rest.front()) == std::string_view::npos) {
      return fail(Errc::invalid_argument,
                  fmt::format("format: '{}' is not a field; there are %t %p %o %e %k %v %s %T %d %h %K %S %%",
                              here.substr(0, 2)));
    } else {
      Piece piece;
      piece.field = rest.front() == 's' ? 'v' : rest.front();
      const bool encodable = kEncodedFields.find(rest.front()) != std::string_view::npos;
      rest.remove_prefix(1);
      if (encodable && rest.starts_with('{')) {
        const auto close = rest.find('}');
        const auto name = rest.substr(0, close == std::string_view::npos ? rest.size() : close + 1);
        if (name == "{hex}")
          piece.encoding = Encoding::hex;
        else if (name == "{base64}")
          piece.encoding = Encoding::base64;
        else if (name == "{json}")
          piece.encoding = Encoding::json;
        else
          return fail(Errc::invalid_argument,
                      fmt::format("format: '{}' is not an encoding; there are {{hex}} {{base64}} {{json}}", name));
        rest.remove_prefix(name.size());
      }
      format.pieces_.push_back(std::move(piece));
    }
  }
  return format;
}

void FormatString::append(std::string& out, const ConsumedRecord& record) const {
  for (const auto& piece : pieces_) {
    if (piece.field == 0)
      out += piece.literal;
    else
      append_field(out, piece, record);
  }
}

void FormatString::append_field(std::string& out, const Piece& piece, const ConsumedRecord& record) {
  const auto length = [](const std::optional<std::string_view>& bytes) {
    return bytes ? static_cast<int64_t>(bytes->size()) : -1;
  };
  const auto encoded = [&](const std::optional<std::string_view>& bytes) {
    switch (piece.encoding) {
      case Encoding::plain:
        out += bytes.value_or("");
        break;
      case Encoding::hex:
        out += hex(bytes.value_or(""));
        break;
      case Encoding::base64:
        out += base64(bytes.value_or(""));
        break;
      case Encoding::json:
        append_json_bytes(out, bytes);
        break;
    }
  };
  switch (piece.field) {
    case 't':
      out += record.source->topic;
      break;
    case 'p':
      out += fmt::format_int(record.source->partition.value).str();
      break;
    case 'o':
      out += fmt::format_int(record.offset.value).str();
      break;
    case 'e':
      out += fmt::format_int(record.leader_epoch.value).str();
      break;
    case 'T':
      out += fmt::format_int(record.timestamp_ms).str();
      break;
    case 'd':
      out += record.timestamp_ms == -1 ? "none" : rfc3339_utc(record.timestamp_ms);
      break;
    case 'K':
      out += fmt::format_int(length(record.key)).str();
      break;
    case 'S':
      out += fmt::format_int(length(record.value)).str();
      break;
    case 'k':
      encoded(record.key);
      break;
    case 'v':
      encoded(record.value);
      break;
    case 'h':
      append_headers(out, piece.encoding, record);
      break;
    default:
      break;
  }
}

// "name=value,name=value", the values encoded; or the list of pairs that --json has.
void FormatString::append_headers(std::string& out, Encoding encoding, const ConsumedRecord& record) {
  if (encoding == Encoding::json) return append_json_headers(out, record);
  const char* separator = "";
  for (const auto& header : record.headers()) {
    const std::string_view value = header.value.value_or("");
    out += separator;
    out += header.name;
    out += '=';
    out += encoding == Encoding::hex ? hex(value) : encoding == Encoding::base64 ? base64(value) : std::string(value);
    separator = ",";
  }
}

Result<> OutputBuffer::flush() {
  const size_t used = std::exchange(used_, 0);
  return write({buffer_.get(), used});
}

Result<> OutputBuffer::write(std::string_view bytes) {
  if (failed_) return tl::unexpected(*failed_);
  if (bytes.empty()) return {};
  const auto written = out_.write(as_bytes(bytes));
  if (!written) failed_ = written.error();
  return written;
}

Result<> OutputBuffer::append_slowly(std::string_view first, std::string_view second) {
  if (!buffer_) buffer_.reset(new char[kBytes]);  // uninitialised: untouched pages cost nothing
  PG_CHECK(flush());
  if (first.size() + second.size() <= kBytes) return append(first, second);
  PG_CHECK(write(first));
  return write(second);
}

RecordPrinter::RecordPrinter(PrintOptions options, OutputStream out) : options_(std::move(options)), out_(out) {
  out.enlarge_pipe();
}

Result<> RecordPrinter::print(const ConsumedRecord& record) {
  if (options_.format || options_.json) {
    text_.clear();
    if (options_.format) {
      options_.format->append(text_, record);
    } else {
      append_json_record(text_, record);
      text_ += '\n';
    }
    return out_.append(text_);
  }
  if (options_.framing == Framing::len32be) PG_CHECK(append_length(record));
  if (options_.key_delimiter) {
    PG_CHECK(out_.append(record.key.value_or(""), *options_.key_delimiter));
  }
  return out_.append(record.value.value_or(""), options_.delimiter);
}

// The length of all that follows of this record.
Result<> RecordPrinter::append_length(const ConsumedRecord& record) {
  size_t length = record.value.value_or("").size();
  if (options_.key_delimiter) length += record.key.value_or("").size() + options_.key_delimiter->size();
  std::array<std::byte, kFrameLengthBytes> frame;
  store_big_endian(frame.data(), static_cast<uint32_t>(length));
  return out_.append(as_text(frame));
}

}  // namespace pg
