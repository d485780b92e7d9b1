// Any two schemas, the one made from the other by a few changes, and any value: what the writer's schema takes the
// reader's takes too, if it is said to be compatible.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/schema/bounded_json.h"
#include "core/schema/schema.h"
#include "tests/support/seeded_random.h"

namespace pg {
namespace {

const std::vector<std::string> kNames = {"a", "b", "xa", "xb"};
const std::vector<std::string> kTypes = {"string", "integer", "number", "null", "boolean", "array", "object"};

class RandomJson {
 public:
  Json schema(int depth) {
    switch (random_.below(depth > 0 ? 11 : 5)) {
      case 0:
        return true;
      case 1:
        return {{"type", "null"}};
      case 2:
        return text();
      case 3:
        return number();
      case 4:
        return enumeration();
      case 5:
        return array(depth);
      case 6:
        return {{random_.below(2) ? "anyOf" : "allOf", Json::array({schema(depth - 1), schema(depth - 1)})}};
      case 7:
        return {{"not", schema(depth - 1)}};
      case 8:
        return several_types(depth);
      case 9:
        return conditional(depth);
      default:
        return object(depth);
    }
  }

  // Something else somewhere in it, now and then.
  Json changed(const Json& schema, int depth) {
    if (random_.below(12) == 0) return this->schema(depth);
    if (!schema.is_object()) return schema;
    Json other = Json::object();
    for (const auto& [name, value] : schema.items()) {
      if (name != "type" && random_.below(8) == 0) continue;
      other[name] = changed_keyword(name, value, depth);
    }
    return other;
  }

  Json value(int depth) {
    switch (random_.below(depth > 0 ? 7 : 5)) {
      case 0:
        return nullptr;
      case 1:
        return random_.below(2) == 0;
      case 2:
        return word();
      case 3:
        return random_.below(6);
      case 4:
        return static_cast<double>(random_.below(12)) / 2;
      case 5:
        return value_array(depth);
      default:
        return value_object(depth);
    }
  }

 private:
  bool sometimes() { return random_.below(3) == 0; }
  std::string word() { return std::string(random_.below(4), random_.below(2) ? 'a' : 'b'); }

  Json text() {
    Json schema = {{"type", "string"}};
    if (sometimes()) schema["maxLength"] = random_.below(4);
    if (sometimes()) schema["minLength"] = random_.below(3);
    if (sometimes()) schema["pattern"] = random_.below(2) ? "^a" : "b$";
    return schema;
  }
  Json number() {
    Json schema = {{"type", random_.below(2) ? "number" : "integer"}};
    if (sometimes()) schema[random_.below(2) ? "maximum" : "exclusiveMaximum"] = random_.below(6);
    if (sometimes()) schema[random_.below(2) ? "minimum" : "exclusiveMinimum"] = random_.below(4);
    if (sometimes()) schema["multipleOf"] = static_cast<double>(random_.below(4) + 1) / 2;
    return schema;
  }
  Json enumeration() {
    if (sometimes()) return {{"const", value(0)}};
    Json schema = {{"enum", Json::array({value(0), value(0), value(0)})}};
    if (sometimes()) schema["type"] = kTypes[random_.below(5)];
    return schema;
  }
  Json array(int depth) {
    Json schema = {{"type", "array"}};
    if (sometimes())
      schema["items"] = Json::array({this->schema(depth - 1), this->schema(depth - 1)});
    else if (random_.below(2))
      schema["items"] = this->schema(depth - 1);
    if (sometimes()) schema["additionalItems"] = random_.below(2) ? Json(false) : this->schema(depth - 1);
    if (sometimes()) schema["contains"] = this->schema(depth - 1);
    if (sometimes()) schema["uniqueItems"] = true;
    if (sometimes()) schema["maxItems"] = random_.below(4);
    if (sometimes()) schema["minItems"] = random_.below(3);
    return schema;
  }
  Json object(int depth) {
    Json schema = {{"type", "object"}};
    for (const auto& name : kNames) {
      if (random_.below(2)) schema["properties"][name] = this->schema(depth - 1);
      if (random_.below(4) == 0) schema["required"].push_back(name);
    }
    if (random_.below(2)) schema["additionalProperties"] = random_.below(3) ? Json(false) : this->schema(depth - 1);
    if (sometimes()) schema["patternProperties"]["^x"] = this->schema(depth - 1);
    if (sometimes()) schema["propertyNames"] = text();
    if (sometimes()) schema["dependencies"]["a"] = random_.below(2) ? Json::array({"b"}) : this->schema(depth - 1);
    if (sometimes()) schema["maxProperties"] = random_.below(4);
    if (sometimes()) schema["minProperties"] = random_.below(3);
    return schema;
  }
  Json several_types(int depth) {
    Json schema = random_.below(2) ? object(depth) : text();
    schema["type"] = Json::array({schema["type"], kTypes[random_.below(kTypes.size())]});
    return schema;
  }
  Json conditional(int depth) {
    Json schema = {{"if", this->schema(depth - 1)}};
    if (random_.below(2)) schema["then"] = this->schema(depth - 1);
    if (random_.below(2)) schema["else"] = this->schema(depth - 1);
    return schema;
  }

  Json changed_keyword(const std::string& name, const Json& value, int depth) {
    if (value.is_number() && random_.below(4) == 0) return value.get<double>() + 1;
    if (name == "properties" || name == "patternProperties" || name == "dependencies") return changed_map(value, depth);
    if (name == "anyOf" || name == "allOf" || (name == "items" && value.is_array())) return changed_list(value, depth);
    if (name == "enum" && random_.below(3) == 0)
      return Json::array({value[0], value[1], this->value(0), this->value(0)});
    return value.is_object() ? changed(value, depth - 1) : value;
  }
  Json changed_map(const Json& map, int depth) {
    Json other = Json::object();
    for (const auto& [name, value] : map.items()) {
      if (random_.below(8)) other[name] = changed(value, depth - 1);
    }
    return other;
  }
  Json changed_list(const Json& list, int depth) {
    Json other = Json::array();
    for (const auto& one : list) other.push_back(changed(one, depth - 1));
    if (random_.below(6) == 0) other.push_back(schema(0));
    return other;
  }

  Json value_array(int depth) {
    Json array = Json::array();
    for (size_t i = random_.below(4); i > 0; --i) array.push_back(value(depth - 1));
    return array;
  }
  Json value_object(int depth) {
    Json object = Json::object();
    for (const auto& name : kNames) {
      if (random_.below(2)) object[name] = value(depth - 1);
    }
    return object;
  }

  SeededRandom random_;
};

std::unique_ptr<Schema> schema_of(const Json& json) {
  auto schema = parse_schema(SchemaType::json, json.dump());
  REQUIRE_MESSAGE(schema, json.dump(), ": ", schema.error().what);
  return std::move(*schema);
}

TEST_CASE("json compatibility: random schemas that are called compatible take the same values") {
  RandomJson random;
  size_t compatible = 0, shared = 0;
  for (int i = 0; i < 4000; ++i) {
    const Json before = random.schema(3);
    const auto writer = schema_of(before), reader = schema_of(random.changed(before, 3));
    if (writer->canonical() == reader->canonical()) continue;
    const auto found = reader->cannot_read(*writer, CompatibilityPolicy::strict);
    if (!found || !found->empty()) continue;
    ++compatible;
    for (int j = 0; j < 50; ++j) {
      const std::string value = random.value(2).dump();
      if (!writer->encode(value)) continue;
      ++shared;
      const auto read = reader->encode(value);
      CHECK_MESSAGE(read.has_value(), writer->canonical(), " wrote ", value, " for ", reader->canonical(), ": ",
                    read ? "" : read.error().what);
    }
  }
  CHECK(compatible > 300);
  CHECK(shared > 1000);
}

}  // namespace
}  // namespace pg
