#include "core/schema/json/json_view.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"

namespace pg {
namespace {

using Aspects = std::vector<JsonAspect>;

struct TypeRow {
  std::string_view name;
  JsonAspect aspect;
  JsonForm form;
};

constexpr auto kTypes = std::to_array<TypeRow>({
    {"array", JsonAspect::array, JsonForm::array},
    {"boolean", JsonAspect::boolean, JsonForm::boolean},
    {"integer", JsonAspect::integer, JsonForm::number},
    {"null", JsonAspect::null, JsonForm::null},
    {"number", JsonAspect::number, JsonForm::number},
    {"object", JsonAspect::object, JsonForm::object},
    {"string", JsonAspect::string, JsonForm::string},
});

struct KeywordRow {
  std::string_view name;
  JsonAspect aspect;
};

constexpr auto kLogic = std::to_array<KeywordRow>({
    {"enum", JsonAspect::enumeration},
    {"const", JsonAspect::enumeration},
    {"not", JsonAspect::negation},
    {"if", JsonAspect::condition},
    {"allOf", JsonAspect::all_of},
    {"anyOf", JsonAspect::any_of},
    {"oneOf", JsonAspect::one_of},
});

// A schema without "type" is taken for what its keywords are about, as Confluent's registry does.
constexpr auto kTelling = std::to_array<KeywordRow>({
    {"additionalProperties", JsonAspect::object},
    {"dependencies", JsonAspect::object},
    {"dependentRequired", JsonAspect::object},
    {"dependentSchemas", JsonAspect::object},
    {"maxProperties", JsonAspect::object},
    {"minProperties", JsonAspect::object},
    {"patternProperties", JsonAspect::object},
    {"properties", JsonAspect::object},
    {"propertyNames", JsonAspect::object},
    {"required", JsonAspect::object},
    {"unevaluatedProperties", JsonAspect::object},
    {"additionalItems", JsonAspect::array},
    {"contains", JsonAspect::array},
    {"items", JsonAspect::array},
    {"maxItems", JsonAspect::array},
    {"minItems", JsonAspect::array},
    {"prefixItems", JsonAspect::array},
    {"unevaluatedItems", JsonAspect::array},
    {"uniqueItems", JsonAspect::array},
    {"exclusiveMaximum", JsonAspect::number},
    {"exclusiveMinimum", JsonAspect::number},
    {"maximum", JsonAspect::number},
    {"minimum", JsonAspect::number},
    {"multipleOf", JsonAspect::number},
    {"maxLength", JsonAspect::string},
    {"minLength", JsonAspect::string},
    {"pattern", JsonAspect::string},
});

void add_once(Aspects& aspects, JsonAspect aspect) {
  if (std::ranges::find(aspects, aspect) == aspects.end()) aspects.push_back(aspect);
}

// Of the types that "type" names; another word is none that is known.
Aspects named_types(const Json& type) {
  Aspects aspects;
  const auto add = [&](const Json& name) {
    for (const auto& row : kTypes) {
      if (name.is_string() && text_of(name) == row.name) add_once(aspects, row.aspect);
    }
  };
  if (type.is_array())
    std::ranges::for_each(type, add);
  else
    add(type);
  return aspects;
}

template <size_t N>
void add_keywords(Aspects& aspects, const Json& schema, const std::array<KeywordRow, N>& rows) {
  for (const auto& row : rows) {
    if (find_member(schema, row.name) != nullptr) add_once(aspects, row.aspect);
  }
}

Aspects aspects_of(const JsonView& view) {
  Aspects aspects;
  if (view.document->target_of(*view.schema) != nullptr) {
    aspects.push_back(JsonAspect::reference);
    if (ref_stands_alone(view.document->dialect.draft)) return aspects;
  }
  add_keywords(aspects, *view.schema, kLogic);
  const Json* const type = find_member(*view.schema, "type");
  if (type == nullptr) {
    add_keywords(aspects, *view.schema, kTelling);
  } else {
    const Aspects types = named_types(*type);
    if (types.size() == 1) aspects.push_back(types.front());
    if (types.size() > 1) aspects.push_back(JsonAspect::types);
  }
  return aspects;
}

JsonSight sight_of_whole(const JsonView& view) {
  const auto at = [&](JsonAspect aspect) { return JsonView{view.document, view.schema, aspect}; };
  if (view.schema->is_boolean()) {
    return {view.schema->get<bool>() ? JsonForm::anything : JsonForm::nothing, view, view.schema, false, {}, false};
  }
  const Aspects aspects = aspects_of(view);
  if (aspects.size() == 1) return look_at(at(aspects.front()));
  JsonSight sight{aspects.empty() ? JsonForm::anything : JsonForm::all_of, view, view.schema, false, {}, false};
  for (const auto aspect : aspects) sight.parts.push_back(at(aspect));
  return sight;
}

// The schemas of "allOf" and the like; the same one twice counts once.
std::vector<JsonView> parts_of(const JsonView& view, std::string_view keyword) {
  std::vector<JsonView> parts;
  const Json* const schemas = find_member(*view.schema, keyword);
  if (schemas == nullptr || !schemas->is_array()) return parts;
  std::set<std::string> seen;
  for (const auto& schema : *schemas) {
    if (seen.insert(comparable(schema)).second) parts.push_back({view.document, &schema});
  }
  return parts;
}

JsonSight sight_of_types(const JsonView& view) {
  JsonSight sight{JsonForm::any_of, view, view.schema, false, {}, false};
  for (const auto aspect : named_types(*find_member(*view.schema, "type"))) {
    sight.parts.push_back({view.document, view.schema, aspect});
  }
  return sight;
}

JsonSight sight_of_type(const JsonView& view) {
  const auto& row = *std::ranges::find(kTypes, view.aspect, &TypeRow::aspect);
  return {row.form, view, view.schema, row.aspect == JsonAspect::integer, {}, false};
}

}  // namespace

JsonView keyword_view(const JsonSight& sight, std::string_view keyword) {
  static const Json kAnything = true;
  const Json* const schema = find_member(*sight.schema, keyword);
  return {sight.self.document, schema == nullptr ? &kAnything : schema};
}

JsonSight look_at(JsonView view) {
  // A reference to a reference; a circle of them says nothing.
  for (int steps = 0; view.aspect == JsonAspect::whole || view.aspect == JsonAspect::reference; ++steps) {
    const Json* const target = view.document->target_of(*view.schema);
    const bool follow = view.aspect == JsonAspect::reference || ref_stands_alone(view.document->dialect.draft);
    if (target == nullptr || !follow) return sight_of_whole(view);
    if (steps == 100) return {JsonForm::anything, view, view.schema, false, {}, false};
    view = {view.document, target};
  }
  const auto single = [&](JsonForm form) { return JsonSight{form, view, view.schema, false, {}, false}; };
  switch (view.aspect) {
    case JsonAspect::types:
      return sight_of_types(view);
    case JsonAspect::enumeration:
      return single(JsonForm::enumeration);
    case JsonAspect::negation:
      return single(JsonForm::negation);
    case JsonAspect::condition:
      return single(JsonForm::condition);
    case JsonAspect::all_of:
      return {JsonForm::all_of, view, view.schema, false, parts_of(view, "allOf"), true};
    case JsonAspect::any_of:
      return {JsonForm::any_of, view, view.schema, false, parts_of(view, "anyOf"), true};
    case JsonAspect::one_of:
      return {JsonForm::one_of, view, view.schema, false, parts_of(view, "oneOf"), true};
    default:
      return sight_of_type(view);
  }
}

}  // namespace pg
