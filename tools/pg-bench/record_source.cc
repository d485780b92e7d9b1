#include "tools/pg-bench/record_source.h"

#include <random>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/os/stream.h"

namespace pg {

Result<TextSource> TextSource::of_file(const std::string& path) {
  TextSource source;
  PG_ASSIGN(std::string content, read_user_file(path, kBatchBytesMax));
  source.content_ = std::make_unique<std::string>(std::move(content));
  std::string_view rest = *source.content_;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest.empty()) return fail(Errc::invalid_argument, "'" + path + "' has no line");
  source.texts_ = split(rest, '\n');
  return source;
}

// They lie in the same letters, far from each other, so that large ones need little memory and compression finds
// nothing.
TextSource TextSource::made(size_t bytes, size_t different) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr size_t kRoom = 1 << 20, kStep = 104729;  // the step is odd: no two begin at one place
  TextSource source;
  source.content_ = std::make_unique<std::string>(kRoom + bytes, '\0');
  std::minstd_rand random(1);
  for (char& c : *source.content_) c = kLetters[random() >> 7 & 63];
  source.texts_.reserve(different);
  for (size_t i = 0; i < different; ++i) source.texts_.emplace_back(source.content_->data() + i * kStep % kRoom, bytes);
  return source;
}

}  // namespace pg
