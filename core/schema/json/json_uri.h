// URI references of "$id" and "$ref", resolved as RFC 3986 says. They are names here: nothing is ever fetched.
#pragma once

#include <string>
#include <string_view>

namespace pg {

// `reference` as seen from `base`, with its fragment.
std::string resolve_uri(std::string_view base, std::string_view reference);

// A reference, split where its fragment begins.
struct SplitUri {
  std::string_view document;
  std::string_view fragment;  // without "#"
};

SplitUri split_fragment(std::string_view uri);

// "%25" is "%". What is not a percent sign and two hexadecimal digits stays.
std::string percent_decoded(std::string_view text);

}  // namespace pg
