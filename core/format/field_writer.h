// Big-endian fields one behind the other, to and from a string: for the small binary files and table records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace pg {

class FieldWriter {
 public:
  template <class T>
  FieldWriter& add(T value) {
    std::byte bytes[sizeof(T)];
    store_big_endian(bytes, value);
    out_ += as_text(bytes);
    return *this;
  }
  FieldWriter& add_bytes(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  // Kafka's string: its length as int16 first. At most 32767 bytes.
  FieldWriter& add_string(std::string_view text) {
    PG_ASSERT(text.size() <= INT16_MAX);
    return add(static_cast<int16_t>(text.size())).add_bytes(text);
  }
  FieldWriter& add_nullable_string(std::optional<std::string_view> text) {
    return text ? add_string(*text) : add(int16_t{-1});
  }
  // Kafka's bytes: their length as int32 first.
  FieldWriter& add_sized_bytes(std::string_view bytes) {
    PG_ASSERT(bytes.size() <= INT32_MAX);
    return add(static_cast<int32_t>(bytes.size())).add_bytes(bytes);
  }
  FieldWriter& add_nullable_sized_bytes(std::optional<std::string_view> bytes) {
    return bytes ? add_sized_bytes(*bytes) : add(int32_t{-1});
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what FieldWriter wrote. Beyond the end it gives zeros and remembers that: ask failed() before believing any of
// it.
class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}

  template <class T>
  T get() {
    const std::string_view bytes = get_bytes(sizeof(T));
    return bytes.empty() ? T{0} : load_big_endian<T>(as_bytes(bytes).data());
  }
  std::string_view get_bytes(size_t count) {
    if (count > in_.size()) {
      fail();
      return {};
    }
    const std::string_view bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return bytes;
  }
  std::string_view get_string() { return get_sized<int16_t>(); }
  std::optional<std::string_view> get_nullable_string() { return get_nullable<int16_t>(); }
  std::string_view get_sized_bytes() { return get_sized<int32_t>(); }
  std::optional<std::string_view> get_nullable_sized_bytes() { return get_nullable<int32_t>(); }
  // What was read makes no sense: as if the end had come.
  void fail() {
    failed_ = true;
    in_ = {};
  }
  bool at_end() const { return in_.empty(); }
  size_t left() const { return in_.size(); }
  bool failed() const { return failed_; }

 private:
  // Null is a length of -1.
  template <class Length>
  std::optional<std::string_view> get_nullable() {
    const auto length = get<Length>();
    if (length < -1) fail();
    if (length < 0) return std::nullopt;
    return get_bytes(static_cast<size_t>(length));
  }
  template <class Length>
  std::string_view get_sized() {
    const auto bytes = get_nullable<Length>();
    if (!bytes) fail();
    return bytes.value_or("");
  }

  std::string_view in_;
  bool failed_ = false;
};

}  // namespace pg
