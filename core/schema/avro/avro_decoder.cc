#include "core/schema/avro/avro_decoder.h"

#include <bit>
#include <cmath>
#include <set>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/schema/avro/avro_error.h"

namespace pg {
namespace {

// How much JSON comes of some bytes. Items of an array can take no bytes at all, so that a few bytes can claim any
// number.
constexpr size_t json_bytes_max(size_t bytes) { return (64 << 20) + 16 * bytes; }

tl::unexpected<Error> wrong(std::string_view reason) { return avro_fail(Errc::corrupt, reason); }

template <class Integer>
Integer from_little_endian(std::string_view bytes) {
  Integer bits = 0;
  for (size_t i = 0; i < sizeof bits; ++i) bits |= static_cast<Integer>(static_cast<uint8_t>(bytes[i])) << 8 * i;
  return bits;
}

// The shortest that is read as the same, with something that tells it from an integer: "-0" would lose its sign.
template <class Float>
std::string number_text(Float number) {
  if (std::isnan(number)) return "\"NaN\"";
  if (std::isinf(number)) return number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

AvroDecoder::AvroDecoder(std::string_view bytes) : rest_(bytes), json_max_(json_bytes_max(bytes.size())) {}

Result<std::string> AvroDecoder::decode(const AvroType& type) {
  PG_CHECK(value(type).map_error(whole));
  if (!rest_.empty()) return fail(Errc::corrupt, fmt::format("{} bytes follow the value", rest_.size()));
  return std::move(json_);
}

Result<> AvroDecoder::value(const AvroType& type) {
  if (json_.size() > json_max_) return avro_fail(Errc::limit, fmt::format("more than {} MiB of JSON", json_max_ >> 20));
  switch (type.kind) {
    case AvroKind::record:
      return record(type);
    case AvroKind::array:
      return array(type);
    case AvroKind::map:
      return map(type);
    case AvroKind::one_of:
      return one_of(type);
    case AvroKind::enumeration: {
      PG_ASSIGN(const size_t i, take_position(type.symbols.size(), "symbols"));
      put_string(type.symbols[i]);
      return {};
    }
    case AvroKind::fixed: {
      PG_ASSIGN(const auto bytes, take(type.size));
      put_bytes(bytes);
      return {};
    }
    default:
      return primitive(type.kind);
  }
}

Result<> AvroDecoder::primitive(AvroKind kind) {
  switch (kind) {
    case AvroKind::null:
      json_ += "null";
      return {};
    case AvroKind::boolean:
      return boolean();
    case AvroKind::float32:
      return floating<float, uint32_t>();
    case AvroKind::float64:
      return floating<double, uint64_t>();
    case AvroKind::string:
      return text();
    case AvroKind::bytes:
      return bytes();
    default:
      return integer(kind);
  }
}

Result<> AvroDecoder::integer(AvroKind kind) {
  PG_ASSIGN(const int64_t number, take_long());
  if (kind == AvroKind::int32 && number != static_cast<int32_t>(number))
    return wrong(fmt::format("{} is not an int", number));
  json_ += std::to_string(number);
  return {};
}

Result<> AvroDecoder::bytes() {
  PG_ASSIGN(const auto taken, take_sized());
  put_bytes(taken);
  return {};
}

Result<> AvroDecoder::boolean() {
  PG_ASSIGN(const auto byte, take(1));
  if (byte[0] != 0 && byte[0] != 1) return wrong("a byte that is not a boolean");
  json_ += byte[0] == 1 ? "true" : "false";
  return {};
}

template <class Float, class Bits>
Result<> AvroDecoder::floating() {
  PG_ASSIGN(const auto bytes, take(sizeof(Bits)));
  json_ += number_text(std::bit_cast<Float>(from_little_endian<Bits>(bytes)));
  return {};
}

Result<> AvroDecoder::text() {
  PG_ASSIGN(const auto bytes, take_sized());
  if (!is_utf8(bytes)) return wrong("a string that is not UTF-8");
  put_string(bytes);
  return {};
}

Result<> AvroDecoder::record(const AvroType& type) {
  PG_CHECK(enter());
  json_ += '{';
  for (const AvroField& field : type.fields) {
    if (&field != &type.fields.front()) json_ += ',';
    put_string(field.name);
    json_ += ':';
    PG_CHECK(value(*field.type).map_error(under(field.name)));
  }
  json_ += '}';
  --depth_;
  return {};
}

Result<> AvroDecoder::one_of(const AvroType& type) {
  PG_ASSIGN(const size_t i, take_position(type.branches.size(), "branches"));
  const AvroType& branch = *type.branches[i];
  if (branch.kind == AvroKind::null) return value(branch);
  const std::string name = avro_branch_name(branch);
  PG_CHECK(enter());
  json_ += '{';
  put_string(name);
  json_ += ':';
  PG_CHECK(value(branch).map_error(under(name)));
  json_ += '}';
  --depth_;
  return {};
}

template <class Item>
Result<> AvroDecoder::blocks(Item item) {
  PG_CHECK(enter());
  for (size_t i = 0;;) {
    PG_ASSIGN(int64_t count, take_long());
    if (count == 0) break;
    std::optional<size_t> rest_after;
    if (count < 0) {  // with its size in bytes, for readers who want to skip it
      PG_ASSIGN(const int64_t size, take_long());
      if (count == INT64_MIN || size < 0 || static_cast<uint64_t>(size) > rest_.size())
        return wrong("a block that is too large");
      rest_after = rest_.size() - static_cast<size_t>(size);
      count = -count;
    }
    for (; count > 0; --count, ++i) {
      if (i > 0) json_ += ',';
      PG_CHECK(item(i));
    }
    if (rest_after && *rest_after != rest_.size()) return wrong("a block that is not as large as it says");
  }
  --depth_;
  return {};
}

Result<> AvroDecoder::array(const AvroType& type) {
  json_ += '[';
  PG_CHECK(blocks([&](size_t i) {
    return value(*type.items).map_error([i](Error error) { return under(std::to_string(i))(std::move(error)); });
  }));
  json_ += ']';
  return {};
}

Result<> AvroDecoder::map(const AvroType& type) {
  json_ += '{';
  std::set<std::string, std::less<>> keys;
  PG_CHECK(blocks([&](size_t) -> Result<> {
    PG_ASSIGN(const std::string_view key, take_sized());
    if (!is_utf8(key)) return wrong("a key that is not UTF-8");
    if (!keys.emplace(key).second) return at(under(key), wrong("there twice"));
    put_string(key);
    json_ += ':';
    return value(*type.items).map_error(under(key));
  }));
  json_ += '}';
  return {};
}

Result<int64_t> AvroDecoder::take_long() {
  int64_t number = 0;
  const ByteView bytes = as_bytes(rest_);
  const std::byte* end = read_varint(bytes.data(), bytes.data() + bytes.size(), number);
  if (end == nullptr) return wrong("the bytes end within a number, or it is too large");
  rest_.remove_prefix(static_cast<size_t>(end - bytes.data()));
  return number;
}

Result<size_t> AvroDecoder::take_position(size_t end, std::string_view what) {
  PG_ASSIGN(const int64_t number, take_long());
  if (number < 0 || static_cast<uint64_t>(number) >= end)
    return wrong(fmt::format("number {} of {} {}", number, end, what));
  return static_cast<size_t>(number);
}

Result<std::string_view> AvroDecoder::take(size_t length) {
  if (length > rest_.size()) return wrong(fmt::format("{} bytes are to follow, {} do", length, rest_.size()));
  const std::string_view taken = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return taken;
}

Result<std::string_view> AvroDecoder::take_sized() {
  PG_ASSIGN(const int64_t length, take_long());
  if (length < 0) return wrong(fmt::format("a length of {}", length));
  return take(static_cast<size_t>(length));
}

void AvroDecoder::put_string(std::string_view text) { json_ += to_one_line(text); }

// Each byte as the character of that number.
void AvroDecoder::put_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80)
      text += c;
    else
      text.append({static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))});
  }
  put_string(text);
}

Result<> AvroDecoder::enter() {
  if (++depth_ <= kSchemaDepthMax) return {};
  return avro_fail(Errc::limit, fmt::format("nested more than {} levels deep", kSchemaDepthMax));
}

}  // namespace pg
