// The records that a benchmark sends: of files, line by line and again from the first, or made.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace pg {

// Lines of a file, or made: letters and digits that hardly compress, the same in every run.
class TextSource {
 public:
  // Errors: those of read_user_file; invalid_argument (the file has no line).
  static Result<TextSource> of_file(const std::string& path);
  // `different`: so many of them, then the first one again.
  static TextSource made(size_t bytes, size_t different);

  // Valid as long as this lives.
  std::string_view next() {
    const std::string_view text = texts_[next_];
    next_ = next_ + 1 == texts_.size() ? 0 : next_ + 1;
    return text;
  }

 private:
  std::unique_ptr<std::string> content_;  // stays where it is when this is moved
  std::vector<std::string_view> texts_;   // of it
  size_t next_ = 0;
};

}  // namespace pg
