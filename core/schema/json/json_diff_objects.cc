#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_place.h"
#include "core/schema/json/json_schema_diff.h"

namespace pg {
namespace {

const Json::object_t& described(const JsonSight& sight, std::string_view keyword) {
  static const Json kNone = Json::object();
  const Json* const members = find_member(*sight.schema, keyword);
  return members_of(members != nullptr && members->is_object() ? *members : kNone);
}

// What the writer and the reader say about one name; none where one says nothing.
struct Described {
  const Json* before = nullptr;
  const Json* after = nullptr;
};

std::map<std::string, Described> described_by_either(const JsonSight& writer, const JsonSight& reader,
                                                     std::string_view keyword) {
  std::map<std::string, Described> names;
  for (const auto& [name, value] : described(writer, keyword)) names[name].before = &value;
  for (const auto& [name, value] : described(reader, keyword)) names[name].after = &value;
  return names;
}

std::set<std::string> words_of(const Json* words) {
  std::set<std::string> found;
  if (words == nullptr || !words->is_array()) return found;
  for (const auto& word : *words) {
    if (word.is_string()) found.insert(text_of(word));
  }
  return found;
}

bool has_default(const Json* property) { return property != nullptr && find_member(*property, "default") != nullptr; }

constexpr std::string_view kAdditional = "additionalProperties", kUnevaluated = "unevaluatedProperties";

// The keyword for members that are not described: "additionalProperties" evaluates them all.
std::string_view rest_keyword(const JsonSight& sight) {
  const bool is_unevaluated =
      find_member(*sight.schema, kAdditional) == nullptr && unevaluated_keyword(sight, kUnevaluated) != nullptr;
  return is_unevaluated ? kUnevaluated : kAdditional;
}

}  // namespace

const JsonEvaluated& JsonSchemaDiff::evaluated_beside_of(const JsonSight& sight) {
  const auto known = evaluated_.find(sight.schema);
  return known != evaluated_.end()
             ? known->second
             : evaluated_.emplace(sight.schema, evaluated_beside(*sight.self.document, *sight.schema)).first->second;
}

// For a member that "properties" does not describe.
JsonContent JsonSchemaDiff::content_for(const JsonSight& sight, const std::string& name) {
  for (const auto& [pattern, schema] : described(sight, "patternProperties")) {
    const auto* const made = sight.self.document->patterns.find(pattern);
    if (made != nullptr && matches_anywhere(*made, name)) return {JsonContent::partial, &schema};
  }
  const std::string_view keyword = rest_keyword(sight);
  // Members that other schemas beside it describe are compared with those.
  if (keyword == kUnevaluated && evaluated_beside_of(sight).has(*sight.self.document, name)) return content_of(nullptr);
  return content_of(find_member(*sight.schema, keyword));
}

// Members that may be missing in what there is. A default stands in for one, but not where anything could be there
// before.
void JsonSchemaDiff::compare_required(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  const auto properties = described_by_either(writer, reader, "properties");
  const auto before = words_of(find_member(*writer.schema, "required"));
  for (const auto& name : words_of(find_member(*reader.schema, "required"))) {
    const auto known = properties.find(name);
    const Described property = known == properties.end() ? Described() : known->second;
    const bool is_new = property.before == nullptr;
    const bool unopen = content_for(writer, name).model != JsonContent::open;
    if (before.contains(name) || (has_default(property.after) && (!is_new || unopen))) continue;
    const std::string_view place = property.after != nullptr && is_new && unopen ? "properties" : "required";
    found.add(place == "required" ? "REQUIRED_ATTRIBUTE_ADDED" : "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
              fmt::format("/{}/{}", place, pointer_token(name)),
              "is required now, and may be missing in what there is");
  }
}

// Members that no keyword describes, and those that only schemas beside the writer's "unevaluatedProperties" describe:
// for the reader these may be unevaluated.
void JsonSchemaDiff::compare_other_members(JsonFindings& found, const JsonSight& writer, const JsonSight& reader) {
  static const Json kAnything = true;
  const std::string_view before = rest_keyword(writer), after = rest_keyword(reader);
  JsonView was = keyword_view(writer, before);
  if (before == kUnevaluated) {
    const JsonEvaluated& beside = evaluated_beside_of(writer);
    const bool is_wild = beside.any_name || !beside.patterns.empty();
    // If the reader has the same keyword, the schemas beside it are compared on their own.
    if (is_wild && after != kUnevaluated) was = {writer.self.document, &kAnything};
    for (const auto& [name, schema] : beside.names) {
      if (described(writer, "properties").count(name) + described(reader, "properties").count(name) > 0) continue;
      found.absorb(removed("PROPERTY", view_of(writer, *schema), reader, content_for(reader, name)),
                   fmt::format("/properties/{}", pointer_token(name)));
    }
  }
  compare_rest(found, was, keyword_view(reader, after), find_member(*reader.schema, after) == nullptr ? before : after,
               lenient_);
}

JsonFindings JsonSchemaDiff::compare_objects(const JsonSight& writer, const JsonSight& reader) {
  JsonFindings found;
  const auto properties = described_by_either(writer, reader, "properties");
  compare_required(found, writer, reader);
  for (const auto& [name, property] : properties) {
    found.absorb(compare_property(writer, reader, name, property.before, property.after),
                 fmt::format("/properties/{}", pointer_token(name)));
  }
  for (const auto& [pattern, schemas] : described_by_either(writer, reader, "patternProperties")) {
    found.absorb(compare_name_pattern(writer, reader, pattern, schemas.before, schemas.after),
                 fmt::format("/patternProperties/{}", pointer_token(pattern)));
  }
  for (const std::string_view keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
    compare_dependencies(found, writer, reader, keyword);
  }
  compare_other_members(found, writer, reader);
  compare_keyword(found, writer, reader, "propertyNames");
  compare_limits(found, writer, reader, "maxProperties");
  compare_limits(found, writer, reader, "minProperties");
  return found;
}

JsonFindings JsonSchemaDiff::compare_property(const JsonSight& writer, const JsonSight& reader, const std::string& name,
                                              const Json* before, const Json* after) {
  if (after == nullptr) return removed("PROPERTY", view_of(writer, *before), reader, content_for(reader, name));
  if (before == nullptr) return added("PROPERTY", writer, content_for(writer, name), view_of(reader, *after));
  return compare(view_of(writer, *before), view_of(reader, *after));
}

JsonFindings JsonSchemaDiff::compare_name_pattern(const JsonSight& writer, const JsonSight& reader,
                                                  const std::string& pattern, const Json* before, const Json* after) {
  const auto rest = [](const JsonSight& sight) { return content_of(find_member(*sight.schema, rest_keyword(sight))); };
  if (after == nullptr) return removed("PROPERTY", view_of(writer, *before), reader, rest(reader));
  if (before != nullptr) return compare(view_of(writer, *before), view_of(reader, *after));
  JsonFindings found = added("PROPERTY", writer, rest(writer), view_of(reader, *after));
  // A pattern says something about members that are described by name as well.
  const auto* const made = reader.self.document->patterns.find(pattern);
  for (const auto& [name, schema] : described(writer, "properties")) {
    if (made == nullptr || !matches_anywhere(*made, name)) continue;
    found.absorb(compare(view_of(writer, schema), view_of(reader, *after)));
  }
  return found;
}

// "dependencies" has both kinds; names that are wanted, and schemas.
void JsonSchemaDiff::compare_dependencies(JsonFindings& found, const JsonSight& writer, const JsonSight& reader,
                                          std::string_view keyword) {
  for (const auto& [name, dependency] : described_by_either(writer, reader, keyword)) {
    if (dependency.after == nullptr) continue;
    const Json& after = *dependency.after;
    const Json* before = dependency.before;
    if (before != nullptr && before->is_array() != after.is_array()) before = nullptr;  // another kind is none
    const std::string path = fmt::format("/{}/{}", keyword, pointer_token(name));
    if (before == nullptr) {
      found.add(after.is_array() ? "DEPENDENCY_ARRAY_ADDED" : "DEPENDENCY_SCHEMA_ADDED", path,
                fmt::format("what must be there with '{}' is new", name));
    } else if (!after.is_array()) {
      found.absorb(compare(view_of(writer, *before), view_of(reader, after)), path);
    } else if (const auto was = words_of(before), is = words_of(&after); !std::ranges::includes(was, is)) {
      found.add(std::ranges::includes(is, was) ? "DEPENDENCY_ARRAY_EXTENDED" : "DEPENDENCY_ARRAY_CHANGED", path,
                fmt::format("other members must be there with '{}'", name));
    }
  }
}

}  // namespace pg
