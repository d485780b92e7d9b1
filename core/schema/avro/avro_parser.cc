#include "core/schema/avro/avro_parser.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/schema/avro/avro_defaults.h"
#include "core/schema/avro/avro_error.h"

namespace pg {
namespace {

using Words = std::span<const std::string_view>;
// Names that have a meaning in a schema. Other attributes are only kept.
constexpr std::array<std::string_view, 10> kTypeWords = {"type",   "name",  "namespace", "doc",     "aliases",
                                                         "fields", "items", "values",    "symbols", "size"};
constexpr std::array<std::string_view, 6> kFieldWords = {"name", "type", "doc", "default", "order", "aliases"};
constexpr std::array<std::string_view, 3> kOrders = {"ascending", "descending", "ignore"};

tl::unexpected<Error> wrong(std::string_view reason) { return avro_fail(Errc::invalid_argument, reason); }

const Json* member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> text_of(const Json& object, std::string_view name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

Result<std::string> required_text(const Json& object, std::string_view name) {
  if (auto text = text_of(object, name)) return *text;
  return wrong(fmt::format("'{}' is {}", name, member(object, name) == nullptr ? "missing" : "not a string"));
}

Result<const Json*> required_array(const Json& object, std::string_view name) {
  const Json* found = member(object, name);
  if (found != nullptr && found->is_array()) return found;
  return wrong(fmt::format("'{}' is {}", name, found == nullptr ? "missing" : "not an array"));
}

Json other_members(const Json& object, Words words) {
  Json others = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(words, name) == words.end()) add_member(others, name, value);
  }
  return others;
}

Result<std::vector<std::string>> aliases_of(const Json& object) {
  std::vector<std::string> aliases;
  const Json* array = member(object, "aliases");
  if (array == nullptr) return aliases;
  if (!array->is_array()) return wrong("'aliases' is not an array");
  for (const Json& alias : *array) {
    if (!alias.is_string()) return at(under("aliases", aliases.size()), wrong("an alias that is not a string"));
    aliases.push_back(alias.get<std::string>());
  }
  return aliases;
}

class AvroParser {
 public:
  Result<const AvroType*> type(const Json& json);
  AvroTree take(const AvroType* root) {
    tree_.root = root;
    return std::move(tree_);
  }

 private:
  Result<const AvroType*> reference(const std::string& text);
  Result<const AvroType*> one_of(const Json& json);
  Result<const AvroType*> object(const Json& json);
  const AvroType* primitive(AvroKind kind, Json attributes);
  Result<const AvroType*> container(AvroKind kind, const Json& json);
  Result<const AvroType*> named(AvroKind kind, const Json& json);

  Result<AvroName> name_of(const Json& json) const;
  Result<std::vector<AvroName>> aliases(const Json& json, std::string_view space) const;
  Result<> record(AvroType& type, const Json& json);
  Result<> field(AvroType& record, const Json& json);
  Result<> enumeration(AvroType& type, const Json& json);
  Result<> fixed(AvroType& type, const Json& json);

  AvroType& add(AvroKind kind, Json attributes);

  AvroTree tree_;
  std::unordered_map<std::string, const AvroType*> names_;  // by full name
  std::array<const AvroType*, 8> primitives_{};             // those without attributes
  std::string space_;                                       // of what is being read
};

Result<const AvroType*> AvroParser::type(const Json& json) {
  if (json.is_string()) return reference(json.get<std::string>());
  if (json.is_array()) return one_of(json);
  if (json.is_object()) return object(json);
  return wrong("a schema is a name, an object or an array");
}

AvroType& AvroParser::add(AvroKind kind, Json attributes) {
  AvroType& type = tree_.types.emplace_back();
  type.kind = kind;
  type.attributes = std::move(attributes);
  return type;
}

Result<const AvroType*> AvroParser::reference(const std::string& text) {
  const auto kind = avro_kind_of(text);
  if (kind && is_primitive(*kind)) return primitive(*kind, Json::object());
  if (const auto name = parse_avro_name(text, space_)) {
    if (const auto found = names_.find(name->full()); found != names_.end()) return found->second;
  }
  if (const auto found = names_.find(text); found != names_.end()) return found->second;
  if (!kind) return wrong(fmt::format("unknown type '{}'", text));
  return wrong(fmt::format("'{}' needs an object of its own, {{\"type\": \"{}\", ...}}", text, text));
}

const AvroType* AvroParser::primitive(AvroKind kind, Json attributes) {
  if (!attributes.empty()) return &add(kind, std::move(attributes));
  const AvroType*& plain = primitives_[static_cast<size_t>(kind)];
  if (plain == nullptr) plain = &add(kind, std::move(attributes));
  return plain;
}

Result<const AvroType*> AvroParser::one_of(const Json& json) {
  AvroType& made = add(AvroKind::one_of, Json::object());
  for (const Json& branch : json) {
    const size_t i = made.branches.size();
    const std::string step = std::to_string(i);
    PG_ASSIGN(const AvroType* parsed, type(branch).map_error(under(step)));
    if (parsed->kind == AvroKind::one_of) return at(under(step), wrong("a union directly in a union"));
    if (!made.positions.emplace(avro_branch_name(*parsed), i).second) {
      return at(under(step), wrong(fmt::format("'{}' is in the union twice", avro_branch_name(*parsed))));
    }
    made.branches.push_back(parsed);
  }
  return &made;
}

Result<const AvroType*> AvroParser::object(const Json& json) {
  PG_ASSIGN(const std::string word, required_text(json, "type"));
  const auto kind = word == "error" ? AvroKind::record : avro_kind_of(word);
  if (!kind || *kind == AvroKind::one_of) return reference(word).map_error(under("type"));
  if (is_primitive(*kind)) return primitive(*kind, other_members(json, kTypeWords));
  if (is_named(*kind)) return named(*kind, json);
  return container(*kind, json);
}

Result<const AvroType*> AvroParser::container(AvroKind kind, const Json& json) {
  const std::string_view word = kind == AvroKind::array ? "items" : "values";
  const Json* items = member(json, word);
  if (items == nullptr) return wrong(fmt::format("'{}' is missing", word));
  AvroType& made = add(kind, other_members(json, kTypeWords));
  PG_ASSIGN(made.items, type(*items).map_error(under(word)));
  return &made;
}

Result<AvroName> AvroParser::name_of(const Json& json) const {
  PG_ASSIGN(const std::string text, required_text(json, "name"));
  const std::string space = text_of(json, "namespace").value_or(space_);
  const auto name = parse_avro_name(text, space);
  if (!name) return wrong(fmt::format("'{}' in namespace '{}' is not a name", text, space));
  const auto kind = avro_kind_of(name->name);
  if (kind && is_primitive(*kind)) return wrong(fmt::format("'{}' is Avro's own", name->name));
  if (names_.contains(name->full())) return wrong(fmt::format("'{}' is defined a second time", name->full()));
  return *name;
}

Result<std::vector<AvroName>> AvroParser::aliases(const Json& json, std::string_view space) const {
  PG_ASSIGN(const auto texts, aliases_of(json));
  std::vector<AvroName> names;
  for (const std::string& text : texts) {
    const auto name = parse_avro_name(text, space);
    if (!name) return at(under("aliases", names.size()), wrong(fmt::format("'{}' is not a name", text)));
    names.push_back(*name);
  }
  return names;
}

Result<const AvroType*> AvroParser::named(AvroKind kind, const Json& json) {
  PG_ASSIGN(AvroName name, name_of(json));
  PG_ASSIGN(auto names, aliases(json, name.space));
  AvroType& made = add(kind, other_members(json, kTypeWords));
  made.name = std::move(name);
  made.aliases = std::move(names);
  made.doc = text_of(json, "doc");
  names_.emplace(made.name.full(), &made);
  const std::string outside = std::exchange(space_, made.name.space);
  PG_CHECK(kind == AvroKind::record        ? record(made, json)
           : kind == AvroKind::enumeration ? enumeration(made, json)
                                           : fixed(made, json));
  space_ = outside;
  return &made;
}

Result<> AvroParser::record(AvroType& type, const Json& json) {
  type.is_error = json.at("type") == "error";
  PG_ASSIGN(const Json* fields, required_array(json, "fields"));
  for (const Json& one : *fields) PG_CHECK(field(type, one).map_error(under("fields", type.fields.size())));
  return {};
}

Result<> AvroParser::field(AvroType& record, const Json& json) {
  if (!json.is_object()) return wrong("a field is an object");
  AvroField made;
  PG_ASSIGN(made.name, required_text(json, "name"));
  if (!is_avro_name(made.name)) return wrong(fmt::format("'{}' is not a name", made.name));
  const Json* of = member(json, "type");
  if (of == nullptr) return wrong("'type' is missing");
  PG_ASSIGN(made.type, type(*of).map_error(under("type")));
  PG_ASSIGN(made.aliases, aliases_of(json));
  if (const Json* value = member(json, "default")) made.default_value = *value;
  const std::string order = text_of(json, "order").value_or("ascending");
  if (std::ranges::find(kOrders, order) == kOrders.end()) return wrong(fmt::format("unknown order '{}'", order));
  if (order != "ascending") made.order = order;
  made.doc = text_of(json, "doc");
  made.attributes = other_members(json, kFieldWords);
  if (!record.positions.emplace(made.name, record.fields.size()).second) {
    return wrong(fmt::format("'{}' is the name of two fields", made.name));
  }
  record.fields.push_back(std::move(made));
  return {};
}

Result<> AvroParser::enumeration(AvroType& type, const Json& json) {
  type.attributes.erase("default");
  PG_ASSIGN(const Json* symbols, required_array(json, "symbols"));
  for (const Json& symbol : *symbols) {
    const size_t i = type.symbols.size();
    if (!symbol.is_string() || !is_avro_name(symbol.get_ref<const std::string&>())) {
      return at(under("symbols", i), wrong("a symbol is a name"));
    }
    type.symbols.push_back(symbol.get<std::string>());
    if (!type.positions.emplace(type.symbols.back(), i).second) {
      return at(under("symbols", i), wrong(fmt::format("'{}' is there twice", type.symbols.back())));
    }
  }
  const Json* otherwise = member(json, "default");
  if (otherwise == nullptr) return {};
  type.otherwise = text_of(json, "default");
  if (!type.otherwise || !type.positions.contains(*type.otherwise))
    return at(under("default"), wrong("no such symbol"));
  return {};
}

Result<> AvroParser::fixed(AvroType& type, const Json& json) {
  const Json* size = member(json, "size");
  if (size == nullptr || !size->is_number_unsigned() || size->get<uint64_t>() > INT32_MAX) {
    return wrong(size == nullptr ? "'size' is missing" : "'size' is not a size");
  }
  type.size = size->get<size_t>();
  return {};
}

}  // namespace

Result<AvroTree> parse_avro(const Json& json) {
  AvroParser parser;
  PG_ASSIGN(const AvroType* root, parser.type(json).map_error(whole));
  PG_CHECK(check_avro_defaults(*root).map_error(whole));
  return parser.take(root);
}

}  // namespace pg
