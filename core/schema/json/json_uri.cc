#include "core/schema/json/json_uri.h"

#include <charconv>
#include <vector>

#include "core/base/text.h"

namespace pg {
namespace {

// Cuts the beginning of `text` up to and including `end`.
std::string_view cut(std::string_view& text, size_t end) {
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(head.size());
  return head;
}

struct UriParts {
  std::string_view scheme;     // with ":"
  std::string_view authority;  // with "//"
  std::string_view path;
  std::string_view query;  // with "?"
};

// Of a URI without fragment.
UriParts parts_of(std::string_view uri) {
  UriParts parts;
  const size_t colon = uri.find_first_of(":/?");
  if (colon != std::string_view::npos && colon > 0 && uri[colon] == ':') parts.scheme = cut(uri, colon + 1);
  if (uri.starts_with("//")) parts.authority = cut(uri, uri.find_first_of("/?", 2));
  parts.path = cut(uri, uri.find('?'));
  parts.query = uri;
  return parts;
}

// "/a/b/../c/./d" is "/a/c/d".
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path, '/');
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] != "." && segments[i] != "..") {
      kept.push_back(segments[i]);
      continue;
    }
    if (segments[i] == ".." && kept.size() > 1) kept.pop_back();
    if (last) kept.push_back("");
  }
  std::string joined;
  for (size_t i = 0; i < kept.size(); ++i) joined.append(i == 0 ? "" : "/").append(kept[i]);
  return joined;
}

std::string merged_path(const UriParts& base, std::string_view path) {
  if (!base.authority.empty() && base.path.empty()) return std::string("/").append(path);
  return std::string(base.path.substr(0, base.path.rfind('/') + 1)).append(path);
}

std::string joined(std::string_view scheme, std::string_view authority, std::string_view path, std::string_view query) {
  return std::string(scheme).append(authority).append(path).append(query);
}

std::string resolve_document(const UriParts& base, std::string_view document) {
  const UriParts to = parts_of(document);
  if (!to.scheme.empty()) return std::string(document);
  if (!to.authority.empty()) return joined(base.scheme, to.authority, without_dots(to.path), to.query);
  if (to.path.empty()) return joined(base.scheme, base.authority, base.path, to.query.empty() ? base.query : to.query);
  const std::string path = to.path.starts_with('/') ? std::string(to.path) : merged_path(base, to.path);
  return joined(base.scheme, base.authority, without_dots(path), to.query);
}

}  // namespace

SplitUri split_fragment(std::string_view uri) {
  const size_t hash = uri.find('#');
  if (hash == std::string_view::npos) return {uri, {}};
  return {uri.substr(0, hash), uri.substr(hash + 1)};
}

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const auto [document, fragment] = split_fragment(reference);
  std::string uri = resolve_document(parts_of(split_fragment(base).document), document);
  if (!fragment.empty()) uri.append("#").append(fragment);
  return uri;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace pg
