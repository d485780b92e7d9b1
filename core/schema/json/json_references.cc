#include "core/schema/json/json_references.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/schema/json/json_access.h"
#include "core/schema/json/json_uri.h"

namespace pg {
namespace {

// Names are resolved, so each is held for itself; real ones are far shorter.
constexpr size_t kUriBytesMax = 1024;

std::string unescaped(std::string_view token) {
  std::string name;
  for (size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    if (escape) ++i;
    name += !escape ? token[i] : token[i] == '1' ? '/' : token[i] == '0' ? '~' : token[i];
  }
  return name;
}

const Json* step(const Json& at, const std::string& name) {
  if (!at.is_array()) return find_member(at, name);
  const auto index = parse_integer(name);
  return index && *index >= 0 && *index < static_cast<int64_t>(at.size()) ? &at[static_cast<size_t>(*index)] : nullptr;
}

// `pointer` begins with "/", or is empty.
const Json* follow(const Json* at, std::string_view pointer) {
  if (pointer.empty()) return at;
  for (const auto token : split(pointer.substr(1), '/')) {
    if (at != nullptr) at = step(*at, unescaped(token));
  }
  return at;
}

}  // namespace

JsonReferences::JsonReferences(const Json& root, Draft draft) : draft_(draft), bases_({""}) {
  named_.emplace("", &root);
}

Result<> JsonReferences::name(const Json& schema, const std::string& uri) {
  if (uri.size() > kUriBytesMax)
    return fail(Errc::invalid_argument, fmt::format("a name of more than {} bytes", kUriBytesMax));
  named_.emplace(uri, &schema);  // the first one counts
  return {};
}

Result<const std::string*> JsonReferences::enter(const Json& schema, const std::string& base) {
  const std::string* inner = &base;
  const Json* const id = find_member(schema, draft_ == Draft::draft4 ? "id" : "$id");
  if (id != nullptr && id->is_string()) {
    const std::string uri = resolve_uri(base, text_of(*id));
    PG_CHECK(name(schema, uri));
    // "#name" names a place, and leaves the base as it is.
    if (!text_of(*id).starts_with('#')) {
      inner = &bases_.emplace_back(split_fragment(uri).document);
      PG_CHECK(name(schema, *inner));
    }
  }
  const Json* const anchor = find_member(schema, "$anchor");
  if (anchor != nullptr && anchor->is_string()) PG_CHECK(name(schema, *inner + "#" + text_of(*anchor)));
  return inner;
}

Result<const Json*> JsonReferences::resolve(const std::string& base, std::string_view reference) const {
  const std::string uri = resolve_uri(base, reference);
  const auto [document, fragment] = split_fragment(uri);
  const bool is_pointer = fragment.empty() || fragment.starts_with('/');
  const auto named = named_.find(is_pointer ? std::string(document) : uri);
  const Json* const found = named == named_.end() ? nullptr
                            : is_pointer          ? follow(named->second, percent_decoded(fragment))
                                                  : named->second;
  if (found != nullptr) return found;
  if (reference.starts_with('#'))
    return fail(Errc::invalid_argument, fmt::format("'{}' is not in this schema", reference));
  return fail(Errc::invalid_argument, fmt::format("'{}' is another document, and none is fetched", reference));
}

}  // namespace pg
