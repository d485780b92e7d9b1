// Includes doctest, and says how our values are printed when a comparison fails. Tests include this and never doctest
// itself: a type must be printed one way in the whole program.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"

namespace doctest {

template <>
struct StringMaker<const char*> {
  static String convert(const char* text) { return text; }
};
template <>
struct StringMaker<pg::Offset> {
  static String convert(pg::Offset v) { return toString(v.value); }
};
template <>
struct StringMaker<pg::LeaderEpoch> {
  static String convert(pg::LeaderEpoch v) { return toString(v.value); }
};
template <>
struct StringMaker<pg::PartitionId> {
  static String convert(pg::PartitionId v) { return toString(v.value); }
};
template <>
struct StringMaker<pg::Errc> {
  static String convert(pg::Errc v) {
    static constexpr const char* kNames[] = {
        "not_found",           "already_exists", "invalid_argument", "out_of_range", "corrupt",
        "unsupported_version", "busy",           "timed_out",        "interrupted",  "fenced",
        "not_leader",          "not_durable",    "no_space",         "limit",        "io"};
    return kNames[static_cast<int>(v)];
  }
};
template <class T>
struct StringMaker<std::vector<T>> {
  static String convert(const std::vector<T>& values) {
    String text = "{";
    for (const auto& value : values) text += String(text.size() > 1 ? ", " : "") + toString(value);
    return text + "}";
  }
};
template <class T>
struct StringMaker<std::optional<T>> {
  static String convert(const std::optional<T>& v) { return v ? toString(*v) : String("nothing"); }
};

}  // namespace doctest
