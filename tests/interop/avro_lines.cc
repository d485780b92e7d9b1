// Avro as core/schema has it, a JSON array a line, for tests/interop/compare_avro.py:
//   ["encode", SCHEMA, VALUE]   ["decode", SCHEMA, "BYTES IN HEX"]   ["check", READER, WRITER]
// Each gives a line: the bytes in hex, the value, the kinds of what is incompatible; or {"error": "..."}.
#include <iostream>

#include "core/base/text.h"
#include "core/schema/bounded_json.h"
#include "core/schema/schema.h"

using namespace pg;

namespace {

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

Result<Json> answer(const Json& asked) {
  PG_ASSIGN(const auto schema, parse_schema(SchemaType::avro, to_one_line(asked.at(1))));
  if (asked.at(0) == "encode") {
    PG_ASSIGN(const std::string bytes, schema->encode(to_one_line(asked.at(2))));
    return Json(hex(bytes));
  }
  if (asked.at(0) == "decode") {
    PG_ASSIGN(const std::string json, schema->decode(from_hex(asked.at(2))));
    return Json::parse(json);
  }
  PG_ASSIGN(const auto writer, parse_schema(SchemaType::avro, to_one_line(asked.at(2))));
  Json kinds = Json::array();
  const auto found = schema->cannot_read(*writer, CompatibilityPolicy::strict);
  for (const auto& one : *found) kinds.push_back(one.kind);
  return kinds;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto answered = answer(Json::parse(line));
    std::cout << to_one_line(answered ? *answered : Json{{"error", answered.error().message()}}) << '\n';
  }
}
