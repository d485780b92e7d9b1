// Any schema and any value of it: what is encoded is decoded as the same.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "core/schema/bounded_json.h"
#include "core/schema/schema.h"
#include "tests/support/seeded_random.h"

namespace pg {
namespace {

// A schema, and values of it as JSON that decoding prints.
class RandomAvro {
 public:
  Json schema(int depth) {
    switch (random_.below(depth > 0 ? 14 : 8)) {
      case 8:
        return {{"type", "array"}, {"items", schema(depth - 1)}};
      case 9:
        return {{"type", "map"}, {"values", schema(depth - 1)}};
      case 10:
        return one_of(depth);
      case 11:
        return {{"type", "fixed"}, {"name", new_name()}, {"size", random_.below(5)}};
      case 12:
        return {{"type", "enum"}, {"name", new_name()}, {"symbols", {"A", "B", "C"}}};
      case 13:
        return record(depth);
      default:
        return kPrimitives[random_.below(8)];
    }
  }

  Json value(const Json& schema) {
    if (schema.is_array()) return branch(schema);
    const Json& type = schema.is_object() ? schema.at("type") : schema;
    if (type == "array") return array(schema.at("items"));
    if (type == "map") return map(schema.at("values"));
    if (type == "fixed") return latin1(schema.at("size").get<size_t>());
    if (type == "enum") return schema.at("symbols").at(random_.below(3));
    if (type == "record") return fields(schema);
    return primitive(type.get<std::string>());
  }

  SeededRandom& random() { return random_; }

 private:
  static constexpr const char* kPrimitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};

  std::string new_name() { return fmt::format("N{}", names_++); }

  Json one_of(int depth) {
    Json branches = Json::array({"null"});
    if (random_.one_in(2)) branches.push_back(random_.one_in(2) ? "long" : "float");
    if (random_.one_in(2)) branches.push_back(random_.one_in(2) ? "string" : "bytes");
    if (random_.one_in(2)) branches.push_back({{"type", "map"}, {"values", schema(depth - 1)}});
    if (random_.one_in(2)) branches.push_back(record(depth));
    if (random_.one_in(2)) branches.push_back(record(depth));
    return branches;
  }

  Json record(int depth) {
    Json made = {{"type", "record"}, {"name", new_name()}, {"fields", Json::array()}};
    for (size_t i = random_.below(4); i-- > 0;) {
      made["fields"].push_back({{"name", fmt::format("f{}", i)}, {"type", schema(depth - 1)}});
    }
    return made;
  }

  Json branch(const Json& schema) {
    const Json& chosen = schema.at(random_.below(schema.size()));
    if (chosen == "null") return nullptr;
    const std::string name = chosen.is_string()        ? chosen
                             : chosen.contains("name") ? chosen.at("name")
                                                       : chosen.at("type");
    Json wrapped = Json::object();
    wrapped[name] = value(chosen);
    return wrapped;
  }

  Json array(const Json& items) {
    Json made = Json::array();
    for (size_t i = random_.below(4); i-- > 0;) made.push_back(value(items));
    return made;
  }

  Json map(const Json& values) {
    Json made = Json::object();
    for (size_t i = random_.below(4); i-- > 0;) made[latin1(2)] = value(values);
    return made;
  }

  Json fields(const Json& schema) {
    Json made = Json::object();
    for (const Json& field : schema.at("fields")) made[field.at("name").get<std::string>()] = value(field.at("type"));
    return made;
  }

  Json primitive(const std::string& type) {
    if (type == "null") return nullptr;
    if (type == "boolean") return random_.one_in(2);
    const auto bits = static_cast<int64_t>(random_.next() >> random_.below(64));
    if (type == "int") return static_cast<int32_t>(bits);
    if (type == "long") return bits;
    if (type == "float") return floating(std::bit_cast<float>(static_cast<uint32_t>(random_.next())));
    if (type == "double") return floating(std::bit_cast<double>(random_.next()));
    return latin1(random_.below(20));
  }

  template <class Float>
  Json floating(Float number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return std::strtod(fmt::format("{}", number).c_str(), nullptr);  // the shortest text for a float is another double
  }

  std::string latin1(size_t length) {
    std::string text;
    for (; length > 0; --length) {
      const auto byte = static_cast<uint8_t>(random_.next());
      if (byte < 0x80)
        text += static_cast<char>(byte);
      else
        text.append({static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))});
    }
    return text;
  }

  SeededRandom random_;
  int names_ = 0;
};

TEST_CASE("avro random: what is encoded is decoded as the same, and a schema reads itself") {
  RandomAvro any;
  for (int i = 0; i < 500; ++i) {
    const Json text = any.schema(4);
    CAPTURE(text.dump());
    const auto schema = parse_schema(SchemaType::avro, text.dump());
    REQUIRE_MESSAGE(schema, schema.error().what);
    CHECK((*schema)->cannot_read(**schema, CompatibilityPolicy::strict)->empty());
    for (int j = 0; j < 5; ++j) {
      const Json value = any.value(text);
      CAPTURE(value.dump());
      const auto bytes = (*schema)->encode(value.dump());
      REQUIRE_MESSAGE(bytes, bytes.error().what);
      const auto json = (*schema)->decode(*bytes);
      REQUIRE_MESSAGE(json, json.error().what);
      CHECK(Json::parse(*json) == value);
      CHECK((*schema)->encode(*json) == *bytes);
    }
  }
}

TEST_CASE("avro random: cut or changed bytes are refused, or are another value") {
  RandomAvro any;
  for (int i = 0; i < 500; ++i) {
    const Json text = any.schema(3);
    const auto schema = parse_schema(SchemaType::avro, text.dump());
    REQUIRE(schema);
    const std::string bytes = *(*schema)->encode(any.value(text).dump());
    if (bytes.empty()) continue;
    CAPTURE(text.dump());
    CHECK_FALSE((*schema)->decode(bytes + "x"));
    CHECK_FALSE((*schema)->decode(std::string_view(bytes).substr(0, bytes.size() - 1)));
    std::string changed = bytes;
    changed[any.random().below(changed.size())] ^= static_cast<char>(1 << any.random().below(8));
    const auto json = (*schema)->decode(changed);
    if (json)
      CHECK((*schema)->decode(*(*schema)->encode(*json)) == *json);
    else
      CHECK((json.error().code == Errc::corrupt || json.error().code == Errc::limit));
  }
}

}  // namespace
}  // namespace pg
