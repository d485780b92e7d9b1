#include "tools/common/record_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "core/base/text.h"

namespace pg {

Result<> RecordFilter::only_matching(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  // A pattern that is no text is one of bytes, each a character of its own.
  if (!is_utf8(pattern)) options.set_encoding(re2::RE2::Options::EncodingLatin1);
  patterns_.push_back(std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options));
  if (patterns_.back()->ok()) return {};
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is not a regular expression: {}", pattern, patterns_.back()->error()));
}

bool RecordFilter::keeps_key(const RecordView& record) const {
  return keys_.empty() || std::ranges::any_of(keys_, [&](const std::string& key) { return record.key == key; });
}

bool RecordFilter::keeps(const RecordView& record) const {
  if (!keeps_key(record)) return false;
  if (patterns_.empty()) return true;
  return record.value && std::ranges::any_of(patterns_, [&](const auto& pattern) {
           return re2::RE2::PartialMatch(re2::StringPiece(record.value->data(), record.value->size()), *pattern);
         });
}

}  // namespace pg
