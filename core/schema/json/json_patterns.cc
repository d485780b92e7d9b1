#include "core/schema/json/json_patterns.h"

#include <fmt/format.h>

#include "core/base/limits.h"

namespace pg {
namespace {

constexpr int64_t kPatternBytesMax = 1 << 20;  // of memory, for each
constexpr size_t kPatternStepsMax = 1 << 20;   // of all programs of a schema

// JavaScript's \u0041, which RE2 calls \x{0041}.
std::string as_re2_says(std::string_view pattern) {
  std::string text;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      text += pattern[i];
    } else if (pattern[i + 1] == 'u' && i + 5 < pattern.size()) {
      text.append("\\x{").append(pattern.substr(i + 2, 4)).append("}");
      i += 5;
    } else {
      text.append(pattern.substr(i, 2));
      ++i;
    }
  }
  return text;
}

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternBytesMax);
  return options;
}

// What RE2 has not got may still be a regular expression of JavaScript's.
bool is_surely_wrong(re2::RE2::ErrorCode error) {
  switch (error) {
    case re2::RE2::ErrorMissingBracket:
    case re2::RE2::ErrorMissingParen:
    case re2::RE2::ErrorUnexpectedParen:
    case re2::RE2::ErrorTrailingBackslash:
    case re2::RE2::ErrorRepeatArgument:
    case re2::RE2::ErrorRepeatOp:
      return true;
    default:
      return false;
  }
}

bool looks_around(std::string_view pattern) {
  for (const std::string_view opening : {"(?=", "(?!", "(?<"}) {
    if (pattern.find(opening) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

Result<> JsonPatterns::add(const std::string& pattern) {
  if (patterns_.contains(pattern)) return {};
  auto made = std::make_unique<re2::RE2>(as_re2_says(pattern), options());
  if (!made->ok()) {
    if (is_surely_wrong(made->error_code()) && !looks_around(pattern)) {
      return fail(Errc::invalid_argument, fmt::format("'{}' is not a regular expression: {}", pattern, made->error()));
    }
    made = nullptr;
  } else {
    size_ += static_cast<size_t>(made->ProgramSize() + made->ReverseProgramSize());
    if (size_ > kPatternStepsMax) return fail(Errc::invalid_argument, "the regular expressions are too large");
  }
  patterns_.emplace(pattern, std::move(made));
  return {};
}

const re2::RE2* JsonPatterns::find(const std::string& pattern) const {
  const auto found = patterns_.find(pattern);
  return found == patterns_.end() ? nullptr : found->second.get();
}

bool matches_anywhere(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

}  // namespace pg
