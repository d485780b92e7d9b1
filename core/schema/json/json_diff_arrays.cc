#include <fmt/format.h>

#include <algorithm>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_schema_diff.h"

namespace pg {
namespace {

// An array as a schema for each of its first places, and one for those after them. Drafts differ in what they call
// them.
struct Items {
  const Json* places;  // an array of schemas, or none
  std::string_view places_keyword, rest_keyword;

  size_t size() const { return places == nullptr ? 0 : places->size(); }
};

Items items_of(const JsonSight& sight) {
  const Json* const items = find_member(*sight.schema, "items");
  const Json* const prefix = find_member(*sight.schema, "prefixItems");
  if (prefix != nullptr && prefix->is_array()) return {prefix, "prefixItems", "items"};
  if (items != nullptr && items->is_array()) return {items, "items", "additionalItems"};
  return {nullptr, "items", "items"};
}

constexpr std::string_view kUnevaluated = "unevaluatedItems";

bool rest_is_unevaluated(const JsonSight& sight) {
  return find_member(*sight.schema, items_of(sight).rest_keyword) == nullptr &&
         unevaluated_keyword(sight, kUnevaluated) != nullptr;
}

// Whether other keywords than "items" and its like evaluate items: then it is unknown which items are not evaluated.
// Since 2020, "contains" does.
bool is_evaluated_beside(const JsonSight& sight) {
  const bool contains =
      sight.self.document->dialect.draft >= Draft::draft2020 && find_member(*sight.schema, "contains") != nullptr;
  return contains || evaluated_beside(*sight.self.document, *sight.schema).items;
}

// The writer's schema for the items behind the first places. It counts only if it is clear which items it is for.
JsonView rest_of_writer(const JsonSight& writer, const JsonSight& reader) {
  static const Json kAnything = true;
  if (!rest_is_unevaluated(writer)) return keyword_view(writer, items_of(writer).rest_keyword);
  const bool is_clear = !is_evaluated_beside(writer) || (rest_is_unevaluated(reader) && is_evaluated_beside(reader));
  return is_clear ? keyword_view(writer, kUnevaluated) : JsonView{writer.self.document, &kAnything};
}

bool are_unique(const JsonSight& sight) {
  const Json* const flag = find_member(*sight.schema, "uniqueItems");
  return flag != nullptr && flag->is_boolean() && flag->get<bool>();
}

long double least_contained(const JsonSight& sight) {
  const Json* const least = find_member(*sight.schema, "minContains");
  return least != nullptr && least->is_number() ? number_of(*least) : 1;
}

}  // namespace

JsonFindings JsonSchemaDiff::compare_arrays(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  compare_items(found, writer, reader);
  compare_contained(found, writer, reader);
  for (const std::string_view keyword : {"maxItems", "minItems"}) compare_limits(found, writer, reader, keyword);
  if (are_unique(reader) && !are_unique(writer))
    found.add("UNIQUE_ITEMS_ADDED", "/uniqueItems", "items must be unique now");
  return found;
}

// Without "contains" an array may be empty; with it, be it for anything, there is one item at least.
void JsonSchemaDiff::compare_contained(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  if (find_member(*reader.schema, "contains") == nullptr) return;
  if (find_member(*writer.schema, "contains") == nullptr) {
    found.add("SCHEMA_ADDED", "/contains", "some item must be of a kind now");
    return;
  }
  compare_keyword(found, writer, reader, "contains");
  compare_limits(found, writer, reader, "maxContains");
  if (least_contained(reader) > least_contained(writer)) {
    found.add("MIN_CONTAINS_INCREASED", "/minContains", "more items must match 'contains' now");
  }
}

void JsonSchemaDiff::compare_items(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  const Items before = items_of(writer), after = items_of(reader);
  const bool unevaluated = rest_is_unevaluated(reader);
  const JsonView was = rest_of_writer(writer, reader),
                 is = keyword_view(reader, unevaluated ? kUnevaluated : after.rest_keyword);
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const JsonFindings item =
        i >= after.size()    ? removed("ITEM", view_of(writer, (*before.places)[i]), reader, content_of(is.schema))
        : i >= before.size() ? added("ITEM", writer, content_of(was.schema), view_of(reader, (*after.places)[i]))
                             : compare(view_of(writer, (*before.places)[i]), view_of(reader, (*after.places)[i]));
    found.absorb(item, fmt::format("/{}/{}", (i < after.size() ? after : before).places_keyword, i));
  }
  if (after.places != nullptr || unevaluated) {
    compare_rest(found, was, is, unevaluated ? kUnevaluated : "additionalItems", false);
  } else if (sight_of(was).form == JsonForm::anything && sight_of(is).form != JsonForm::anything) {
    found.add("SCHEMA_ADDED", "/items", "items could be anything");
  } else {
    found.absorb(compare(was, is), "/items");
  }
}

}  // namespace pg
