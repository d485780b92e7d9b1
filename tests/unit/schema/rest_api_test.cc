#include "core/schema/rest_api.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/schema/rest_target.h"
#include "tests/support/printing.h"
#include "tests/support/test_home.h"
#include "tests/unit/schema/fake_schema.h"

namespace pg {
namespace {

struct Scene {
  TestHome t;
  Registry registry = must(Registry::open(*t.home, t.env.soon(), FakeSchema::parse));
  RestApi api{registry, CompatibilityPolicy::strict};

  RestResponse call(std::string_view method, std::string_view target, std::string_view body = "") {
    return api.handle({method, target, body}, t.env.soon());
  }
  // "200 [1]"; of an error, "404 40401".
  std::string ask(std::string_view method, std::string_view target, std::string_view body = "") {
    const auto response = call(method, target, body);
    if (response.status == 200) return "200 " + response.body;
    const auto json = nlohmann::json::parse(response.body);
    CHECK_FALSE(json.at("message").get<std::string>().empty());
    return std::to_string(response.status) + " " + std::to_string(json.at("error_code").get<int>());
  }
};

struct Row {
  const char* method;
  const char* target;
  const char* body;
  const char* answer;
};

// One after the other, on the same registry.
void run(Scene& s, std::initializer_list<Row> rows) {
  for (const auto& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    CAPTURE(row.body);
    CHECK(s.ask(row.method, row.target, row.body) == row.answer);
  }
}

}  // namespace

TEST_CASE("rest_target: paths and queries are taken apart and decoded") {
  using Path = std::vector<std::string>;
  CHECK(parse_rest_target("/")->path == Path{});
  CHECK(parse_rest_target("/subjects/")->path == Path{"subjects"});
  CHECK(parse_rest_target("/subjects/a%2Fb%20c+d/versions")->path == Path{"subjects", "a/b c+d", "versions"});
  CHECK(parse_rest_target("/subjects//versions")->path == Path{"subjects", "", "versions"});
  const auto asked =
      *parse_rest_target("/subjects?deleted=true&subjectPrefix=a%26b+c&x=y=z&permanent&deleted=false#here");
  CHECK(asked.flag("deleted"));
  CHECK(asked.flag("permanent"));
  CHECK_FALSE(asked.flag("verbose"));
  CHECK(asked.query.at("subjectPrefix") == "a&b c");
  CHECK(asked.query.at("x") == "y=z");
  for (const char* wrong : {"", "subjects", "*", "http://h/", "/a%", "/a%4", "/a%4g", "/a%-1", "/?a=%zz", "?a=b"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_rest_target(wrong));
  }
}

TEST_CASE("rest_api: each path of an empty registry") {
  Scene s;
  run(s,
      {
          {"GET", "/", "", "200 {}"},
          {"HEAD", "/", "", "200 {}"},
          {"GET", "/schemas/types", "", R"(200 ["JSON","PROTOBUF","AVRO"])"},
          {"GET", "/subjects", "", "200 []"},
          {"GET", "/subjects/s", "", "405 405"},
          {"POST", "/subjects/s", R"({"schema":"a"})", "404 40401"},
          {"DELETE", "/subjects/s", "", "404 40401"},
          {"GET", "/subjects/s/versions", "", "404 40401"},
          {"GET", "/subjects/s/versions/1", "", "404 40401"},
          {"GET", "/subjects/s/versions/latest/schema", "", "404 40401"},
          {"GET", "/subjects/s/versions/1/referencedby", "", "404 40401"},
          {"DELETE", "/subjects/s/versions/latest", "", "404 40401"},
          {"GET", "/schemas/ids/1", "", "404 40403"},
          {"GET", "/schemas/ids/1/schema", "", "404 40403"},
          {"GET", "/schemas/ids/1/subjects", "", "404 40403"},
          {"GET", "/schemas/ids/1/versions", "", "404 40403"},
          {"POST", "/compatibility/subjects/s/versions", R"({"schema":"a"})", R"(200 {"is_compatible":true})"},
          {"POST", "/compatibility/subjects/s/versions/latest", R"({"schema":"a"})", R"(200 {"is_compatible":true})"},
          {"POST", "/compatibility/subjects/s/versions/1", R"({"schema":"a"})", "404 40402"},
          {"GET", "/config", "", R"(200 {"compatibilityLevel":"BACKWARD"})"},
          {"GET", "/config/s", "", "404 40408"},
          {"GET", "/config/s?defaultToGlobal=true", "", R"(200 {"compatibilityLevel":"BACKWARD"})"},
          {"DELETE", "/config/s", "", "404 40401"},
          {"GET", "/mode", "", R"(200 {"mode":"READWRITE"})"},
          {"GET", "/mode/s", "", "404 40409"},
          {"GET", "/mode/s?defaultToGlobal=true", "", R"(200 {"mode":"READWRITE"})"},
          {"DELETE", "/mode/s", "", "404 40401"},
      });
  CHECK(code_of(s.t.home->describe_topic(kSchemasTable)) == Errc::not_found);
}

TEST_CASE("rest_api: a schema is registered, looked up and found in every way") {
  Scene s;
  run(s,
      {
          {"POST", "/subjects/s/versions?normalize=true", R"({"schema":"a","schemaType":"JSON","references":[]})",
           R"(200 {"id":1})"},
          {"POST", "/subjects/s/versions", R"({"schema":"a","schemaType":"JSON"})", R"(200 {"id":1})"},
          {"POST", "/subjects/s/versions",
           R"({"schema":" a, b? ","schemaType":"JSON","id":-1,"version":0,"metadata":null})", R"(200 {"id":2})"},
          {"POST", "/subjects/a%2Fb%C3%A9/versions", R"({"schema":"a"})", R"(200 {"id":3})"},
          {"POST", "/subjects/t/versions", R"({"schema":"a,b?","schemaType":"JSON"})", R"(200 {"id":2})"},
          {"GET", "/subjects", "", R"(200 ["a/bé","s","t"])"},
          {"GET", "/subjects?subjectPrefix=s", "", R"(200 ["s"])"},
          {"GET", "/subjects?subjectPrefix=%3A*%3A", "", R"(200 ["a/bé","s","t"])"},
          {"GET", "/subjects/s/versions", "", "200 [1,2]"},
          {"GET", "/subjects/s/versions/1", "",
           R"(200 {"subject":"s","version":1,"id":1,"schemaType":"JSON","schema":"a"})"},
          {"GET", "/subjects/s/versions/latest", "",
           R"(200 {"subject":"s","version":2,"id":2,"schemaType":"JSON","schema":"a,b?"})"},
          {"GET", "/subjects/s/versions/-1", "",
           R"(200 {"subject":"s","version":2,"id":2,"schemaType":"JSON","schema":"a,b?"})"},
          {"GET", "/subjects/a%2Fb%c3%a9/versions/1", "", R"(200 {"subject":"a/bé","version":1,"id":3,"schema":"a"})"},
          {"GET", "/subjects/s/versions/2/schema", "", "200 a,b?"},
          {"GET", "/subjects/s/versions/1/referencedby", "", "200 []"},
          {"POST", "/subjects/s", R"({"schema":"a","schemaType":"json"})",
           R"(200 {"subject":"s","version":1,"id":1,"schemaType":"JSON","schema":"a"})"},
          {"GET", "/schemas/ids/1", "", R"(200 {"schemaType":"JSON","schema":"a"})"},
          {"GET", "/schemas/ids/3", "", R"(200 {"schema":"a"})"},
          {"GET", "/schemas/ids/2/schema", "", "200 a,b?"},
          {"GET", "/schemas/ids/2/subjects", "", R"(200 ["s","t"])"},
          {"GET", "/schemas/ids/2/versions", "", R"(200 [{"subject":"s","version":2},{"subject":"t","version":1}])"},
          // What is not there.
          {"POST", "/subjects/s", R"({"schema":"z","schemaType":"JSON"})", "404 40403"},
          {"GET", "/subjects/s/versions/3", "", "404 40402"},
          {"GET", "/subjects/s/versions/3/schema", "", "404 40402"},
          {"DELETE", "/subjects/s/versions/3", "", "404 40402"},
          {"GET", "/subjects/s/versions/0", "", "422 42202"},
          {"GET", "/subjects/s/versions/2147483648", "", "422 42202"},
          {"GET", "/subjects/s/versions/99999999999999999999", "", "422 42202"},
          {"GET", "/subjects/s/versions/last", "", "422 42202"},
          {"DELETE", "/subjects/s/versions/x", "", "422 42202"},
          {"GET", "/schemas/ids/4", "", "404 40403"},
          {"GET", "/schemas/ids/4294967297", "", "404 40403"},
          {"GET", "/schemas/ids/x/schema", "", "404 40403"},
      });
}

TEST_CASE("rest_api: what cannot be registered is refused with its code") {
  Scene s;
  CHECK(s.ask("POST", "/subjects/s/versions", R"({"schema":"a"})") == R"(200 {"id":1})");
  for (const char* path : {"/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions",
                           "/compatibility/subjects/s/versions/latest"}) {
    CAPTURE(path);
    CHECK(s.ask("POST", path, "") == "400 400");
    CHECK(s.ask("POST", path, "{\"schema\":") == "400 400");
    CHECK(s.ask("POST", path, "[]") == "400 400");
    CHECK(s.ask("POST", path, std::string(1 << 20, '[')) == "400 400");
    CHECK(s.ask("POST", path, R"({"schema":7})") == "400 400");
    CHECK(s.ask("POST", path, "{}") == "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":""})") == "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":"!"})") == "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":"a","schemaType":"XML"})") == "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":"a","references":[{"name":"n","subject":"s","version":1}]})") ==
          "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":"a","ruleSet":{"domainRules":[]}})") == "422 42201");
    CHECK(s.ask("POST", path, R"({"schema":"a","id":7})") == "422 42205");
  }
  run(s,
      {
          {"POST", "/subjects//versions", R"({"schema":"a"})", "422 42208"},
          {"POST", "/subjects/%00/versions", R"({"schema":"a"})", "422 42208"},
          {"POST", "/subjects/%ff/versions", R"({"schema":"a"})", "422 42208"},
          {"GET", "/config/%0a", "", "422 42208"},
          {"POST", "/subjects/s/versions", R"({"schema":"b"})", "409 409"},
          {"POST", "/compatibility/subjects/s/versions/latest", R"({"schema":"b"})", R"(200 {"is_compatible":false})"},
          {"POST", "/compatibility/subjects/s/versions/1?verbose=true", R"({"schema":"a"})",
           R"(200 {"is_compatible":true,"messages":[]})"},
          {"POST", "/compatibility/subjects/s/versions/2", R"({"schema":"a"})", "404 40402"},
          {"POST", "/compatibility/subjects/s/versions?verbose=true", R"({"schema":"b"})",
           R"_(200 {"is_compatible":false,"messages":["FIELD_MISSING at /b: nothing was written (version 1, read by the new schema)"]})_"},
          {"GET", "/nowhere", "", "404 404"},
          {"GET", "/subjects/s/versions/1/schema/more", "", "404 404"},
          {"GET", "subjects", "", "400 400"},
          {"GET", "/subjects/%zz", "", "400 400"},
          {"PATCH", "/subjects", "", "405 405"},
          {"PUT", "/subjects/s/versions", "", "405 405"},
          {"DELETE", "/", "", "405 405"},
      });
  const auto refused = s.call("POST", "/subjects/s/versions", R"({"schema":"b"})");
  CHECK(nlohmann::json::parse(refused.body).at("message").get<std::string>().find("FIELD_MISSING at /b") !=
        std::string::npos);
}

TEST_CASE("rest_api: a request about the latest version is about that alone, whatever the level") {
  Scene s;
  run(s,
      {
          {"PUT", "/config/s", R"({"compatibility":"NONE"})", R"(200 {"compatibility":"NONE"})"},
          {"POST", "/subjects/s/versions", R"({"schema":"a"})", R"(200 {"id":1})"},
          {"POST", "/subjects/s/versions", R"({"schema":"b"})", R"(200 {"id":2})"},
          {"POST", "/compatibility/subjects/s/versions/1", R"({"schema":"b","schemaType":"JSON"})",
           R"(200 {"is_compatible":true})"},
          {"PUT", "/config/s", R"({"compatibility":"BACKWARD_TRANSITIVE"})",
           R"(200 {"compatibility":"BACKWARD_TRANSITIVE"})"},
          {"POST", "/compatibility/subjects/s/versions/latest", R"({"schema":"b"})", R"(200 {"is_compatible":true})"},
          {"POST", "/compatibility/subjects/s/versions/1", R"({"schema":"b"})", R"(200 {"is_compatible":false})"},
          {"POST", "/compatibility/subjects/s/versions", R"({"schema":"b"})", R"(200 {"is_compatible":false})"},
      });
}

TEST_CASE("rest_api: deleting, softly and for good") {
  Scene s;
  run(s,
      {
          {"POST", "/subjects/s/versions", R"({"schema":"a"})", R"(200 {"id":1})"},
          {"POST", "/subjects/s/versions", R"({"schema":"a,b?"})", R"(200 {"id":2})"},
          {"DELETE", "/subjects/s/versions/1?permanent=true", "", "404 40407"},
          {"DELETE", "/subjects/s/versions/1", "", "200 1"},
          {"DELETE", "/subjects/s/versions/1", "", "404 40406"},
          {"GET", "/subjects/s/versions", "", "200 [2]"},
          {"GET", "/subjects/s/versions?deleted=true", "", "200 [1,2]"},
          {"GET", "/subjects/s/versions/1", "", "404 40402"},
          {"GET", "/subjects/s/versions/1?deleted=true", "", R"(200 {"subject":"s","version":1,"id":1,"schema":"a"})"},
          {"POST", "/subjects/s", R"({"schema":"a"})", "404 40403"},
          {"POST", "/subjects/s?deleted=true", R"({"schema":"a"})",
           R"(200 {"subject":"s","version":1,"id":1,"schema":"a"})"},
          {"GET", "/schemas/ids/1", "", R"(200 {"schema":"a"})"},
          {"GET", "/schemas/ids/1/subjects?deleted=true", "", R"(200 ["s"])"},
          {"DELETE", "/subjects/s/versions/1?permanent=true", "", "200 1"},
          {"GET", "/schemas/ids/1", "", "404 40403"},
          {"DELETE", "/subjects/s?permanent=true", "", "404 40405"},
          {"DELETE", "/subjects/s", "", "200 [2]"},
          {"DELETE", "/subjects/s", "", "404 40404"},
          {"GET", "/subjects", "", "200 []"},
          {"GET", "/subjects?deleted=true", "", R"(200 ["s"])"},
          {"DELETE", "/subjects/s?permanent=true", "", "200 [2]"},
          {"GET", "/subjects?deleted=true", "", "200 []"},
      });
}

TEST_CASE("rest_api: levels and modes, of all and of one") {
  Scene s;
  run(s, {
             {"PUT", "/config", R"({"compatibility":"FULL"})", R"(200 {"compatibility":"FULL"})"},
             {"GET", "/config", "", R"(200 {"compatibilityLevel":"FULL"})"},
             {"GET", "/config/s", "", "404 40408"},
             {"GET", "/config/s?defaultToGlobal=true", "", R"(200 {"compatibilityLevel":"FULL"})"},
             {"PUT", "/config/s", R"({"compatibility":"none"})", R"(200 {"compatibility":"NONE"})"},
             {"GET", "/config/s", "", R"(200 {"compatibilityLevel":"NONE"})"},
             {"PUT", "/config/s", R"({"compatibility":"SOME"})", "422 42203"},
             {"PUT", "/config/s", "{}", "422 42203"},
             {"PUT", "/config/s", "level", "400 400"},
             {"DELETE", "/config/s", "", R"(200 {"compatibilityLevel":"NONE"})"},
             {"DELETE", "/config", "", R"(200 {"compatibilityLevel":"FULL"})"},
             {"GET", "/config", "", R"(200 {"compatibilityLevel":"BACKWARD"})"},
             {"PUT", "/mode/s?force=true", R"({"mode":"READONLY"})", R"(200 {"mode":"READONLY"})"},
             {"GET", "/mode/s", "", R"(200 {"mode":"READONLY"})"},
             {"POST", "/subjects/s/versions", R"({"schema":"a"})", "422 42205"},
             {"PUT", "/config/s", R"({"compatibility":"FULL"})", "422 42205"},
             {"POST", "/subjects/t/versions", R"({"schema":"a"})", R"(200 {"id":1})"},
             {"DELETE", "/mode/s", "", R"(200 {"mode":"READONLY"})"},
             {"PUT", "/mode", R"({"mode":"IMPORT"})", "422 42204"},
             {"PUT", "/mode", R"({"mode":"READONLY"})", R"(200 {"mode":"READONLY"})"},
             {"DELETE", "/subjects/t", "", "422 42205"},
             {"GET", "/mode/s?defaultToGlobal", "", R"(200 {"mode":"READONLY"})"},
             {"DELETE", "/mode", "", R"(200 {"mode":"READONLY"})"},
             {"POST", "/subjects/s/versions", R"({"schema":"a"})", R"(200 {"id":1})"},
         });
}

TEST_CASE("rest_api: what another process registers is there with the next request") {
  Scene s;
  CHECK(s.ask("GET", "/subjects") == "200 []");
  auto other = must(Registry::open(*s.t.home, s.t.env.soon(), FakeSchema::parse));
  CHECK(other.register_schema("s", {SchemaType::avro, "a"}, CompatibilityPolicy::strict, s.t.env.soon()).has_value());
  CHECK(s.ask("GET", "/subjects") == R"(200 ["s"])");
  CHECK(s.ask("GET", "/schemas/ids/1") == R"(200 {"schema":"a"})");
}

TEST_CASE("rest_api: an id that somebody is about to register is on stable storage before it is given out") {
  for (const auto& [method, target] :
       {std::pair{"GET", "/schemas/ids/1"}, {"GET", "/subjects/s/versions/latest"}, {"POST", "/subjects/s"}}) {
    CAPTURE(target);
    Scene s;
    // Another process, between its append and its flush.
    auto table = must(LogTable::open(*s.t.home, kSchemasTable, s.t.env.soon()));
    must(table.catch_up([](auto, auto) { return Result<>(); }, [] {}, s.t.env.soon()));
    const std::vector<TableRow> rows = {{write_registry_key({RegistryKey::Kind::schema, "s", 1}),
                                         write_schema_row("s", 1, {1, SchemaType::avro, "a"})}};
    CHECK(must(table.append(rows, s.t.env.soon())));
    const auto flushed = [&, log = s.t.log(kSchemasTable)] { return log->current_state()->page().flushed.load(); };
    CHECK(flushed() == 0);
    CHECK(s.ask(method, target, R"({"schema":"a"})").starts_with("200 "));
    CHECK(flushed() == 1);
  }
}

TEST_CASE("rest_api: parameters are obeyed, or refused") {
  Scene s;
  run(s, {
             {"POST", "/subjects/s/versions", R"({"schema":"a","schemaType":"JSON"})", R"(200 {"id":1})"},
             {"POST", "/subjects/s/versions", R"({"schema":"a,b?","schemaType":"JSON"})", R"(200 {"id":2})"},
             {"POST", "/subjects/s/versions", R"({"schema":"a,b?,c?","schemaType":"JSON"})", R"(200 {"id":3})"},
             {"POST", "/subjects/t/versions", R"({"schema":"a"})", R"(200 {"id":4})"},
             {"POST", "/subjects/u/versions", R"({"schema":"a"})", R"(200 {"id":4})"},
             {"GET", "/subjects?offset=1", "", R"(200 ["t","u"])"},
             {"GET", "/subjects?limit=2", "", R"(200 ["s","t"])"},
             {"GET", "/subjects?offset=1&limit=1", "", R"(200 ["t"])"},
             {"GET", "/subjects?offset=3&limit=-1", "", "200 []"},
             {"GET", "/subjects?limit=0", "", "200 []"},
             {"GET", "/subjects?limit=x", "", "400 400"},
             {"GET", "/subjects?offset=-1", "", "400 400"},
             {"GET", "/subjects/s/versions?offset=1&limit=1", "", "200 [2]"},
             {"GET", "/schemas/ids/4/subjects?offset=1", "", R"(200 ["u"])"},
             {"GET", "/schemas/ids/4/versions?limit=1", "", R"(200 [{"subject":"t","version":1}])"},
             {"GET", "/subjects?deletedOnly=true", "", "200 []"},
             {"GET", "/subjects/s/versions?deletedOnly=true", "", "404 40401"},
             {"DELETE", "/subjects/s/versions/2", "", "200 2"},
             {"DELETE", "/subjects/t", "", "200 [1]"},
             {"GET", "/subjects?deletedOnly=true", "", R"(200 ["s","t"])"},
             {"GET", "/subjects?deletedOnly=false", "", R"(200 ["s","u"])"},
             {"GET", "/subjects/s/versions?deletedOnly=true", "", "200 [2]"},
             {"GET", "/schemas/ids/2/versions?deletedOnly=true", "", R"(200 [{"subject":"s","version":2}])"},
             {"GET", "/schemas/ids/4/subjects?deletedOnly=true", "", R"(200 ["t"])"},
             {"GET", "/subjects/s/versions", "", "200 [1,3]"},
             {"GET", "/subjects/t/versions?deletedOnly=true", "", "200 [1]"},
             {"GET", "/schemas/ids/4?format=serialized", "", R"(200 {"schema":"a"})"},
             {"GET", "/schemas/ids/4?format=resolved", "", R"(200 {"schema":"a"})"},
             {"GET", "/schemas/ids/4?format=", "", R"(200 {"schema":"a"})"},
             {"GET", "/schemas/ids/4?format=ignore_extensions", "", "400 400"},
             {"PUT", "/config", R"({"compatibility":"FULL","compatibilityGroup":"v"})", "422 42205"},
             {"PUT", "/config", R"({"normalize":true})", "422 42205"},
             {"PUT", "/config/s", R"({"compatibility":"FULL","normalize":false,"alias":null,"defaultMetadata":{}})",
              R"(200 {"compatibility":"FULL"})"},
             {"GET", "/config", "", R"(200 {"compatibilityLevel":"BACKWARD"})"},
         });
}

TEST_CASE("rest_api: a schema in its normal form, and a serialized one") {
  TestHome t;
  Registry registry = must(Registry::open(*t.home, t.env.soon()));
  RestApi api(registry, CompatibilityPolicy::strict);
  const auto ask = [&](std::string_view method, std::string_view target, std::string_view body = "") {
    return api.handle({method, target, body}, t.env.soon()).body;
  };
  const auto json = R"({"schemaType":"JSON","schema":"{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}}}"})";
  const auto turned = R"({"schemaType":"JSON","schema":"{\"properties\":{\"b\":{},\"a\":{}},\"type\":\"object\"}"})";
  CHECK(ask("POST", "/subjects/plain/versions", json) == R"({"id":1})");
  CHECK(ask("POST", "/subjects/plain/versions?normalize=true", turned) == R"({"id":1})");
  CHECK(ask("POST", "/subjects/plain?normalize=true", turned).find(R"("id":1)") != std::string::npos);
  CHECK(ask("POST", "/subjects/plain", turned).find("40403") != std::string::npos);
  CHECK(ask("POST", "/subjects/new/versions?normalize=true", turned) == R"({"id":2})");
  CHECK(ask("POST", "/subjects/new/versions?normalize=true", json) == R"({"id":2})");
  CHECK(ask("GET", "/schemas/ids/2/schema") == R"({"properties":{"a":{},"b":{}},"type":"object"})");

  const auto proto = R"({"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message M { int32 a = 1; }"})";
  CHECK(ask("POST", "/subjects/p/versions", proto) == R"({"id":3})");
  const std::string bytes = nlohmann::json::parse(ask("GET", "/schemas/ids/3?format=serialized")).at("schema");
  CHECK(nlohmann::json::parse(ask("GET", "/subjects/p/versions/1?format=serialized")).at("schema") == bytes);
  CHECK(ask("GET", "/schemas/ids/3/schema?format=serialized") == bytes);
  CHECK(bytes == "CgxzY2hlbWEucHJvdG8iDgoBTRIJCgFhGAEgASgFYgZwcm90bzM=");
  // It is taken as well.
  CHECK(ask("POST", "/subjects/p/versions", R"({"schemaType":"PROTOBUF","schema":")" + bytes + "\"}") == R"({"id":3})");
}

}  // namespace pg
