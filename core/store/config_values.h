// The values that a config takes, and how messages, help and man pages name them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pg {

// A pure value. The words must outlive it.
class ConfigValues {
 public:
  // A whole number, from `least` to `most`.
  static constexpr ConfigValues number(int64_t least, int64_t most) { return {Kind::number, least, most, {}}; }
  // A number from 0 to 1, with or without decimals.
  static constexpr ConfigValues ratio() { return {Kind::ratio, 0, 1, {}}; }
  // "true" or "false".
  static constexpr ConfigValues boolean() { return {Kind::word, 0, 0, "true false"}; }
  // One of `words`, which blanks separate.
  static constexpr ConfigValues word(std::string_view words) { return {Kind::word, 0, 0, words}; }
  // One or more of `words`, in any order, with commas between them.
  static constexpr ConfigValues words(std::string_view words) { return {Kind::words, 0, 0, words}; }

  bool allow(std::string_view value) const;
  // "a number from 0 to 1", "true or false", "one or more of delete, compact".
  std::string text() const;

 private:
  enum class Kind { number, ratio, word, words };
  constexpr ConfigValues(Kind kind, int64_t least, int64_t most, std::string_view words)
      : kind_(kind), least_(least), most_(most), words_(words) {}
  bool has_word(std::string_view word) const;

  Kind kind_;
  int64_t least_, most_;
  std::string_view words_;
};

}  // namespace pg
