#include "core/os/clock.h"

namespace pg {

Uuid Random::uuid() {
  for (;;) {
    Uuid id;
    for (size_t i = 0; i < id.size(); i += 8) {
      uint64_t word = next();
      for (size_t k = 0; k < 8; ++k, word >>= 8) id[i + k] = static_cast<uint8_t>(word);
    }
    id[6] = static_cast<uint8_t>((id[6] & 0x0f) | 0x40);
    id[8] = static_cast<uint8_t>((id[8] & 0x3f) | 0x80);
    if (uuid_text(id).front() != '-') return id;
  }
}

}  // namespace pg
