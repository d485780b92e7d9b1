// Big-endian fields one behind the other, to and from a string: for the small binary files and table records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

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
  FieldWriter& add_string(std::string_view text) { return add(static_cast<int16_t>(text.size())).add_bytes(text); }
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
      failed_ = true;
      in_ = {};
      return {};
    }
    const std::string_view bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return bytes;
  }
  std::string_view get_string() { return get_bytes(static_cast<uint16_t>(get<int16_t>())); }
  bool at_end() const { return in_.empty(); }
  size_t left() const { return in_.size(); }
  bool failed() const { return failed_; }

 private:
  std::string_view in_;
  bool failed_ = false;
};

}  // namespace pg
