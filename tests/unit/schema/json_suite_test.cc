// The official test suite of JSON Schema, as Debian packages it, for each draft that is validated.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "core/schema/bounded_json.h"
#include "core/schema/schema.h"

namespace pg {
namespace {

const std::filesystem::path kSuite = "/usr/share/json-schema-test-suite/tests";

// What we do otherwise, as "file: group". One that does as the suite wants fails the test, so that none stays for
// nothing.
const std::set<std::string> kExceptions = {
    // Their schemas refer to other documents, the schema of schemas among them, and nothing is ever fetched.
    "definitions.json: valid definition",
    "definitions.json: invalid definition",
    "ref.json: remote ref, containing refs itself",
    "refRemote.json: remote ref",
    "refRemote.json: fragment within remote ref",
    "refRemote.json: ref within remote ref",
    "refRemote.json: base URI change",
    "refRemote.json: base URI change - change folder",
    "refRemote.json: base URI change - change folder in subschema",
    "refRemote.json: root ref in remote ref",
};

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// In words what is otherwise than the suite wants; empty if nothing is.
std::string differences(const Json& group, std::string schema_uri) {
  Json schema = group["schema"];
  if (schema.is_object() && !schema.contains("$schema")) schema["$schema"] = std::move(schema_uri);
  const auto parsed = parse_schema(SchemaType::json, schema.dump());
  if (!parsed) return parsed.error().what;
  std::string found;
  for (const auto& test : group["tests"]) {
    const auto encoded = (*parsed)->encode(test["data"].dump());
    if (encoded.has_value() != test["valid"].get<bool>()) {
      found += test["description"].get<std::string>() + (encoded ? " (passes)\n" : " (" + encoded.error().what + ")\n");
    }
  }
  return found;
}

void run_draft(const std::string& folder, const std::string& schema_uri) {
  if (!std::filesystem::exists(kSuite / folder)) {
    MESSAGE("skipped: json-schema-test-suite is not installed");
    return;
  }
  std::set<std::string> unused = kExceptions;
  size_t groups = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSuite / folder)) {
    if (entry.path().extension() != ".json") continue;
    for (const auto& group : Json::parse(file_text(entry.path()))) {
      const std::string name = entry.path().filename().string() + ": " + group["description"].get<std::string>();
      const std::string found = differences(group, schema_uri);
      ++groups;
      if (!found.empty() && unused.erase(name) > 0) continue;
      CHECK_MESSAGE(found.empty(), folder, "/", name, ": ", found);
    }
  }
  CHECK(groups > 50);
  for (const auto& name : unused) CHECK_MESSAGE(false, folder, ": an exception for nothing: ", name);
}

TEST_CASE("json schema: the test suite of draft 4") { run_draft("draft4", "http://json-schema.org/draft-04/schema#"); }
TEST_CASE("json schema: the test suite of draft 6") { run_draft("draft6", "http://json-schema.org/draft-06/schema#"); }
TEST_CASE("json schema: the test suite of draft 7") { run_draft("draft7", "http://json-schema.org/draft-07/schema#"); }

}  // namespace
}  // namespace pg
