// Any texts as JSON schemas and as a value: refused with a reason, or the same after going there and back; comparing
// ends, and nothing is deeper than a stack. The input: two schemas, a line each, and a value.
#include "core/schema/bounded_json.h"
#include "core/schema/json/json_schema.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

constexpr auto kPolicy = CompatibilityPolicy::strict;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

void check_schema(const Schema& schema) {
  const auto again = parse_json_schema(schema.canonical());
  PG_ASSERT(again && (*again)->canonical() == schema.canonical());
  // The same with another title, which makes it be compared.
  auto titled = *parse_bounded_json(schema.canonical());
  if (!titled.is_object()) return;
  titled["title"] = "x" + titled.value("/title"_json_pointer, std::string());
  const auto other = parse_json_schema(titled.dump());
  PG_ASSERT(other.has_value());
  PG_ASSERT((*other)->cannot_read(schema, kPolicy)->empty());
}

void check_value(const Schema& schema, std::string_view value) {
  const auto encoded = schema.encode(value);
  if (encoded) {
    PG_ASSERT(*encoded == value);
    PG_ASSERT(schema.decode(*encoded).has_value());
  } else {
    PG_ASSERT(encoded.error().code == Errc::invalid_argument || encoded.error().code == Errc::unsupported_version);
    PG_ASSERT(!encoded.error().what.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = FuzzInput(data, size).rest();
  const auto schema = parse_json_schema(take_line(rest));
  if (!schema) {
    PG_ASSERT(schema.error().code == Errc::invalid_argument && !schema.error().what.empty());
    return 0;
  }
  check_schema(**schema);
  if (const auto other = parse_json_schema(take_line(rest))) {
    const auto all = (*schema)->cannot_read(**other, kPolicy);
    for (const auto& found : all.value_or(std::vector<Incompatibility>()))
      PG_ASSERT(found.path.starts_with('#') && !found.kind.empty());
    (void)(*other)->cannot_read(**schema, CompatibilityPolicy::lenient);
  }
  check_value(**schema, rest);
  return 0;
}
