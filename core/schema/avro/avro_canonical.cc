#include "core/schema/avro/avro_canonical.h"

#include <unordered_set>

namespace pg {
namespace {

class CanonicalWriter {
 public:
  Json type(const AvroType& type) {
    if (type.kind == AvroKind::one_of) return one_of(type);
    if (is_named(type.kind)) return named(type);
    if (is_primitive(type.kind) && type.attributes.empty()) return avro_kind_name(type.kind);
    Json json = {{"type", avro_kind_name(type.kind)}};
    if (type.items != nullptr) json[type.kind == AvroKind::array ? "items" : "values"] = this->type(*type.items);
    append(json, type.attributes);
    return json;
  }

 private:
  static void append(Json& json, const Json& attributes) {
    for (const auto& [name, value] : attributes.items()) add_member(json, name, value);
  }

  Json one_of(const AvroType& type) {
    Json json = Json::array();
    for (const AvroType* branch : type.branches) json.push_back(this->type(*branch));
    return json;
  }

  Json named(const AvroType& type) {
    if (!defined_.insert(&type).second) return type.name.within(space_);
    Json json = {{"type", type.is_error ? "error" : avro_kind_name(type.kind)}, {"name", type.name.name}};
    if (type.name.space != space_) json["namespace"] = type.name.space;
    if (type.doc) json["doc"] = *type.doc;
    contents(json, type);
    append(json, type.attributes);
    if (!type.aliases.empty()) add_member(json, "aliases", aliases(type));
    return json;
  }

  static Json aliases(const AvroType& type) {
    Json json = Json::array();
    for (const AvroName& alias : type.aliases) json.push_back(alias.within(type.name.space));
    return json;
  }

  void contents(Json& json, const AvroType& type) {
    if (type.kind == AvroKind::fixed) json["size"] = type.size;
    if (type.kind == AvroKind::enumeration) json["symbols"] = type.symbols;
    if (type.otherwise) json["default"] = *type.otherwise;
    if (type.kind != AvroKind::record) return;
    const std::string outside = std::exchange(space_, type.name.space);
    Json fields = Json::array();
    for (const AvroField& one : type.fields) fields.push_back(field(one));
    json["fields"] = std::move(fields);
    space_ = outside;
  }

  Json field(const AvroField& field) {
    Json json = {{"name", field.name}, {"type", type(*field.type)}};
    if (field.doc) json["doc"] = *field.doc;
    if (field.default_value) json["default"] = *field.default_value;
    if (!field.order.empty()) json["order"] = field.order;
    if (!field.aliases.empty()) json["aliases"] = field.aliases;
    append(json, field.attributes);
    return json;
  }

  std::unordered_set<const AvroType*> defined_;
  std::string space_;
};

}  // namespace

std::string avro_canonical(const AvroType& root) { return to_one_line(CanonicalWriter().type(root)); }

}  // namespace pg
