#include "core/schema/registry_rows.h"

#include <doctest/doctest.h>

#include "core/schema/bounded_json.h"

namespace pg {
namespace {

using Kind = RegistryKey::Kind;

TEST_CASE("registry_rows: keys are written as Confluent's registry writes them, and read back") {
  struct Row {
    RegistryKey key;
    const char* json;
  };
  const Row rows[] = {
      {{Kind::schema, "s", 3}, R"({"keytype":"SCHEMA","subject":"s","version":3,"magic":1})"},
      {{Kind::schema, "a\"b/é", 1}, R"({"keytype":"SCHEMA","subject":"a\"b/é","version":1,"magic":1})"},
      {{Kind::config, "s"}, R"({"keytype":"CONFIG","subject":"s","magic":0})"},
      {{Kind::config}, R"({"keytype":"CONFIG","subject":null,"magic":0})"},
      {{Kind::mode}, R"({"keytype":"MODE","subject":null,"magic":0})"},
      {{Kind::delete_subject, "s"}, R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})"},
      {{Kind::clear_subject, "s"}, R"({"keytype":"CLEAR_SUBJECT","subject":"s","magic":0})"},
      {{Kind::noop}, R"({"keytype":"NOOP","magic":0})"},
  };
  for (const auto& [key, json] : rows) {
    CAPTURE(json);
    CHECK(write_registry_key(key) == json);
    const auto parsed = parse_registry_key(json);
    REQUIRE(parsed);
    CHECK(parsed->kind == key.kind);
    CHECK(parsed->subject == key.subject);
    CHECK(parsed->version == key.version);
  }
}

TEST_CASE("registry_rows: what is no key of ours is passed over") {
  const char* texts[] = {"",
                         "x",
                         "[]",
                         "1",
                         R"({"keytype":"CONTEXT","tenant":"default","context":".c","magic":0})",
                         R"({"keytype":7})",
                         R"({"keytype":"SCHEMA","subject":"s","magic":1})",
                         R"({"keytype":"SCHEMA","subject":"s","version":0,"magic":1})",
                         R"({"keytype":"SCHEMA","subject":"s","version":99999999999,"magic":1})",
                         R"({"keytype":"SCHEMA","subject":null,"version":1,"magic":1})",
                         R"({"keytype":"DELETE_SUBJECT","magic":0})"};
  for (const char* text : texts) {
    CAPTURE(text);
    CHECK_FALSE(parse_registry_key(text));
  }
  CHECK_FALSE(parse_registry_key(std::string(100'000, '[')));
}

TEST_CASE("registry_rows: a schema's row, with and without its type") {
  CHECK(write_schema_row("s", 2, {7, SchemaType::json, R"({"a":1})"}) ==
        R"({"subject":"s","version":2,"id":7,"schemaType":"JSON","schema":"{\"a\":1}","deleted":false})");
  CHECK(write_schema_row("s", 2, {7, SchemaType::avro, "\"int\"", true}) ==
        R"({"subject":"s","version":2,"id":7,"schema":"\"int\"","deleted":true})");
  const auto avro = parse_schema_row(R"({"subject":"s","version":1,"id":5,"schema":"\"int\"","deleted":false})");
  REQUIRE(avro);
  CHECK(avro->id == 5);
  CHECK(avro->type == SchemaType::avro);
  CHECK(avro->text == "\"int\"");
  CHECK_FALSE(avro->deleted);
  const auto newer = parse_schema_row(
      R"({"subject":"s","version":1,"id":6,"guid":"x","schemaType":"XML","references":[{"name":"r","subject":"t","version":1}],)"
      R"("ruleSet":{},"schema":"<a/>","deleted":true})");
  REQUIRE(newer);
  CHECK_FALSE(newer->type);
  CHECK(newer->deleted);
  CHECK(newer->references == R"([{"name":"r","subject":"t","version":1}])");
  for (const char* text : {"", "{}", R"({"id":1})", R"({"id":"1","schema":""})", R"({"id":0,"schema":""})",
                           R"({"id":1.5,"schema":""})", R"({"schema":""})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_schema_row(text));
  }
}

TEST_CASE("registry_rows: marking a row deleted keeps what we do not know") {
  CHECK(mark_deleted(R"({"subject":"s","metadata":{"b":[1]},"deleted":false,"guid":"x"})") ==
        R"({"subject":"s","metadata":{"b":[1]},"deleted":true,"guid":"x"})");
  CHECK(mark_deleted(R"({"id":1})") == R"({"id":1,"deleted":true})");
}

TEST_CASE("registry_rows: levels, modes and numbers") {
  CHECK(write_config_row(CompatibilityLevel::full_transitive) == R"({"compatibilityLevel":"FULL_TRANSITIVE"})");
  CHECK(parse_config_row(R"({"subject":"s","compatibilityLevel":"FORWARD"})") == CompatibilityLevel::forward);
  CHECK_FALSE(parse_config_row(R"({"compatibilityLevel":"SIDEWAYS"})"));
  CHECK(parse_level("backward_Transitive") == CompatibilityLevel::backward_transitive);
  CHECK_FALSE(parse_level("BACKWARDS"));
  CHECK(write_mode_row(RegistryMode::readonly) == R"({"mode":"READONLY"})");
  CHECK(parse_mode_row(R"({"mode":"READWRITE"})") == RegistryMode::readwrite);
  CHECK(parse_mode_row(R"({"mode":"IMPORT"})") == RegistryMode::readonly);
  CHECK_FALSE(parse_mode_row("{}"));
  CHECK(parse_number_row(write_delete_subject_row("s", 4), "version") == 4);
  CHECK(parse_number_row(write_greatest_id_row(9), "id") == 9);
  CHECK_FALSE(parse_number_row("null", "id"));
}

}  // namespace
}  // namespace pg
