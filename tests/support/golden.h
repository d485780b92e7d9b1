// Files in tests/golden: bytes that must never change, as hex text. PG_UPDATE=1 writes them anew.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/os/env.h"
#include "tests/support/must.h"
#include "tests/support/test_env.h"

namespace pg {

// What golden/<name> holds, without its line ends. With PG_UPDATE set, `actual` is stored there first.
inline std::string golden_hex(const std::string& name, std::string_view actual) {
  FileSystem& files = posix_env().files;
  const std::string path = std::string(PG_GOLDEN_DIR "/") + name;
  constexpr size_t kLineDigits = 64;
  if (std::getenv("PG_UPDATE") != nullptr) {
    std::string lines;
    const std::string digits = hex(actual);
    for (size_t at = 0; at < digits.size(); at += kLineDigits) lines += digits.substr(at, kLineDigits) + "\n";
    overwrite(files, path, lines);
  }
  std::string text = must(files.read_all(path));
  std::erase(text, '\n');
  return text;
}

}  // namespace pg
