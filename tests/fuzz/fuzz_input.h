// A fuzzer's bytes, taken piece by piece; when they are used up, zeros and empty strings follow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace pg {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  uint8_t byte() { return rest_.empty() ? uint8_t{0} : static_cast<uint8_t>(bytes(1).front()); }
  // A number from 0 to `most`, which is below 256.
  size_t up_to(size_t most) { return byte() % (most + 1); }
  std::string_view bytes(size_t length) {
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() { return bytes(rest_.size()); }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace pg
