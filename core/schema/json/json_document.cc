#include "core/schema/json/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <vector>

#include "core/schema/json/json_access.h"
#include "core/schema/json/json_equality.h"
#include "core/schema/json/json_keywords.h"
#include "core/schema/json/json_references.h"

namespace pg {
namespace {

constexpr std::array<std::string_view, 7> kTypeNames = {"array",  "boolean", "integer", "null",
                                                        "number", "object",  "string"};

bool is_type_name(const Json& value) {
  return value.is_string() && std::ranges::find(kTypeNames, text_of(value)) != kTypeNames.end();
}

bool is_type(const Json& value) {
  return value.is_array() ? !value.empty() && std::ranges::all_of(value, is_type_name) : is_type_name(value);
}

bool are_words(const Json& value) {
  return value.is_array() && std::ranges::all_of(value, [](const Json& word) { return word.is_string(); });
}

bool is_count(const Json& value) { return value.is_number() && is_whole(value) && number_of(value) >= 0; }

// Where in `at` it is that `wanted` stands.
std::optional<std::string> find_place(const Json& at, const Json* wanted, const JsonPlace& place) {
  if (&at == wanted) return to_pointer(place);
  std::optional<std::string> found;
  if (at.is_array()) {
    for (size_t i = 0; i < at.size() && !found; ++i) found = find_place(at[i], wanted, place.item(i));
  } else if (at.is_object()) {
    for (const auto& [name, value] : members_of(at)) {
      if (!found) found = find_place(value, wanted, place.member(name));
    }
  }
  return found;
}

// Walks a schema and all that is in it, as deep as JSON may be.
class DocumentReader {
 public:
  explicit DocumentReader(JsonDocument& document)
      : document_(document),
        rules_(document.dialect.draft == Draft::other ? Draft::draft7 : document.dialect.draft),
        strict_(document.dialect.draft != Draft::other),
        references_(document.root, rules_) {}

  Result<> read() {
    PG_CHECK(schema(document_.root, {}, references_.root_base()));
    // A reference may make a schema of a place that is none otherwise, and that place may hold more references.
    for (size_t i = 0; i < pending_.size(); ++i) PG_CHECK(resolve(*pending_[i].first, *pending_[i].second));
    return {};
  }

 private:
  Result<> schema(const Json& schema, const JsonPlace& place, const std::string& base);
  Result<> keyword(KeywordShape shape, const Json& value, const JsonPlace& place, const std::string& base);
  Result<> leaf(KeywordShape shape, const Json& value, const JsonPlace& place);
  Result<> schemas(const Json& array, const JsonPlace& place, const std::string& base);
  Result<> schema_map(KeywordShape shape, const Json& map, const JsonPlace& place, const std::string& base);
  Result<> map_value(KeywordShape shape, const Json& value, const JsonPlace& place, const std::string& base);
  Result<> pattern(const std::string& pattern, const JsonPlace& place);
  Result<> resolve(const Json& schema, const std::string& base);

  // For the value of a keyword. Where the rules are not known, nothing is wrong.
  Result<> must(bool holds, const JsonPlace& place, std::string_view what) const {
    if (holds || !strict_) return {};
    return fail(Errc::invalid_argument, fmt::format("{}: must be {}", to_pointer(place), what));
  }

  JsonDocument& document_;
  const Draft rules_;
  const bool strict_;
  JsonReferences references_;
  std::unordered_set<const Json*> seen_;
  std::vector<std::pair<const Json*, const std::string*>> pending_;  // references, with their bases
};

Result<> DocumentReader::schema(const Json& schema, const JsonPlace& place, const std::string& base) {
  if (!seen_.insert(&schema).second) return {};
  if (schema.is_boolean() && rules_ != Draft::draft4) return {};
  if (!schema.is_object()) return must(false, place, rules_ == Draft::draft4 ? "an object" : "an object or a boolean");
  const Json* const ref = find_member(schema, "$ref");
  const bool ref_alone = ref != nullptr && ref->is_string() && ref_stands_alone(rules_);
  const std::string* inner = &base;
  if (!ref_alone) {
    auto entered = references_.enter(schema, base);
    if (!entered) return must(false, place, fmt::format("named shorter: {}", entered.error().what));
    inner = *entered;
  }
  if (ref != nullptr && ref->is_string()) pending_.emplace_back(&schema, inner);
  for (const auto& [name, value] : members_of(schema)) {
    // Definitions are found beside a reference too.
    if (ref_alone && name != "definitions" && name != "$defs") continue;
    if (const auto* known = find_keyword(rules_, name))
      PG_CHECK(keyword(known->shape, value, place.member(name), *inner));
  }
  return {};
}

Result<> DocumentReader::keyword(KeywordShape shape, const Json& value, const JsonPlace& place,
                                 const std::string& base) {
  switch (shape) {
    case KeywordShape::schema_or_flag:
      if (value.is_boolean()) return {};
      [[fallthrough]];
    case KeywordShape::schema:
      return schema(value, place, base);
    case KeywordShape::schema_or_schemas:
      return value.is_array() ? schemas(value, place, base) : schema(value, place, base);
    case KeywordShape::schemas:
      PG_CHECK(must(value.is_array() && !value.empty(), place, "an array of at least one schema"));
      return value.is_array() ? schemas(value, place, base) : Result<>();
    case KeywordShape::schema_map:
    case KeywordShape::pattern_map:
    case KeywordShape::dependency_map:
    case KeywordShape::words_map:
      return schema_map(shape, value, place, base);
    case KeywordShape::pattern:
      PG_CHECK(must(value.is_string(), place, "a regular expression"));
      return value.is_string() ? pattern(text_of(value), place) : Result<>();
    default:
      return leaf(shape, value, place);
  }
}

// Of a keyword in which there is no schema.
Result<> DocumentReader::leaf(KeywordShape shape, const Json& value, const JsonPlace& place) {
  switch (shape) {
    case KeywordShape::text:
    case KeywordShape::reference:
      return must(value.is_string(), place, "a string");
    case KeywordShape::flag:
      return must(value.is_boolean(), place, "a boolean");
    case KeywordShape::number:
      return must(value.is_number(), place, "a number");
    case KeywordShape::positive:
      return must(value.is_number() && number_of(value) > 0, place, "a number above 0");
    case KeywordShape::count:
      return must(is_count(value), place, "a whole number, not negative");
    case KeywordShape::words:
      return must(are_words(value), place, "an array of strings");
    case KeywordShape::values:
      return must(value.is_array(), place, "an array");
    case KeywordShape::type:
      return must(is_type(value), place, "the name of a type, or an array of some");
    default:
      return {};
  }
}

Result<> DocumentReader::schemas(const Json& array, const JsonPlace& place, const std::string& base) {
  for (size_t i = 0; i < array.size(); ++i) PG_CHECK(schema(array[i], place.item(i), base));
  return {};
}

Result<> DocumentReader::schema_map(KeywordShape shape, const Json& map, const JsonPlace& place,
                                    const std::string& base) {
  PG_CHECK(must(map.is_object(), place, "an object"));
  if (!map.is_object()) return {};
  for (const auto& [name, value] : members_of(map)) {
    const JsonPlace inner = place.member(name);
    if (shape == KeywordShape::pattern_map) PG_CHECK(pattern(name, inner));
    PG_CHECK(map_value(shape, value, inner, base));
  }
  return {};
}

Result<> DocumentReader::map_value(KeywordShape shape, const Json& value, const JsonPlace& place,
                                   const std::string& base) {
  if (shape == KeywordShape::words_map || (shape == KeywordShape::dependency_map && value.is_array())) {
    return must(are_words(value), place, "an array of strings");
  }
  return schema(value, place, base);
}

Result<> DocumentReader::pattern(const std::string& pattern, const JsonPlace& place) {
  auto added = document_.patterns.add(pattern);
  if (!added) return strict_ ? fail(Errc::invalid_argument, to_pointer(place) + ": " + added.error().what) : Result<>();
  if (document_.unsupported_pattern.empty() && document_.patterns.find(pattern) == nullptr) {
    document_.unsupported_pattern = fmt::format("'{}' at {}", pattern, to_pointer(place));
  }
  return {};
}

Result<> DocumentReader::resolve(const Json& schema, const std::string& base) {
  const auto& reference = text_of(*find_member(schema, "$ref"));
  const auto target = references_.resolve(base, reference);
  if (!target && !strict_) return {};
  if (!target) {
    const auto place = find_place(document_.root, &schema, {});
    return fail(Errc::invalid_argument, place.value_or("#") + "/$ref: " + target.error().what);
  }
  document_.targets.emplace(&schema, *target);
  return this->schema(**target, JsonPlace{.name = reference}, base);
}

}  // namespace

Result<std::unique_ptr<const JsonDocument>> read_json_document(std::string_view text) {
  PG_ASSIGN(Json root, parse_bounded_json(text));
  if (!root.is_object() && !root.is_boolean()) {
    return fail(Errc::invalid_argument, "#: a JSON schema is an object or a boolean");
  }
  auto document = std::make_unique<JsonDocument>();
  document->root = std::move(root);
  document->dialect = dialect_of(document->root);
  PG_CHECK(DocumentReader(*document).read());
  return document;
}

}  // namespace pg
