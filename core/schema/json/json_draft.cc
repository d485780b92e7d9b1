#include "core/schema/json/json_draft.h"

#include <array>

#include "core/schema/json/json_access.h"

namespace pg {
namespace {

struct DraftRow {
  std::string_view uri;  // without scheme and fragment
  Draft draft;
  std::string_view name;
};

constexpr std::array<DraftRow, 6> kDrafts = {{
    {"json-schema.org/draft-03/schema", Draft::other, "draft 3"},
    {"json-schema.org/draft-04/schema", Draft::draft4, "draft 4"},
    {"json-schema.org/draft-06/schema", Draft::draft6, "draft 6"},
    {"json-schema.org/draft-07/schema", Draft::draft7, "draft 7"},
    {"json-schema.org/draft/2019-09/schema", Draft::draft2019, "draft 2019-09"},
    {"json-schema.org/draft/2020-12/schema", Draft::draft2020, "draft 2020-12"},
}};

std::string_view without_scheme(std::string_view uri) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (uri.starts_with(scheme)) uri.remove_prefix(scheme.size());
  }
  if (uri.ends_with('#')) uri.remove_suffix(1);
  return uri;
}

}  // namespace

JsonDialect dialect_of(const Json& schema) {
  const Json* const named = find_member(schema, "$schema");
  if (named == nullptr || !named->is_string()) return {Draft::draft7, "draft 7"};
  const auto& uri = text_of(*named);
  for (const auto& row : kDrafts) {
    if (without_scheme(uri) == row.uri) return {row.draft, std::string(row.name)};
  }
  return {Draft::other, uri};
}

}  // namespace pg
