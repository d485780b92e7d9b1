#include "tools/common/record_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "core/base/text.h"

namespace pg {

Result<> RecordFilter::only_matching(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  // A pattern that is no text is one of bytes, each a character of its own.
  if (!is_utf8(pattern)) options.set_encoding(re2::RE2::Options::EncodingLatin1);
  pattern_ = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (pattern_->ok()) return {};
  return fail(Errc::invalid_argument, fmt::format("'{}' is no regular expression: {}", pattern, pattern_->error()));
}

bool RecordFilter::keeps(const RecordView& record) const {
  if (key_ && record.key != *key_) return false;
  if (!pattern_) return true;
  return record.value && re2::RE2::PartialMatch(re2::StringPiece(record.value->data(), record.value->size()), *pattern_);
}

}  // namespace pg
