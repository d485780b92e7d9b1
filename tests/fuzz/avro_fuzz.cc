// Any texts as Avro schemas, as a value and as its bytes: refused with a reason, or the same after going there and
// back. The input: two schemas and a value, a line each, and bytes.
#include "core/schema/avro/avro_schema.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

constexpr auto kPolicy = CompatibilityPolicy::strict;
// What claims to be very large is cut off far above this, and too slow to go on with.
constexpr size_t kJsonMax = 1 << 20;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

void check_bytes(const Schema& schema, std::string_view bytes) {
  const auto json = schema.decode(bytes);
  if (!json) {
    PG_ASSERT(json.error().code == Errc::corrupt || json.error().code == Errc::limit);
    return;
  }
  if (json->size() > kJsonMax) return;
  const auto again = schema.encode(*json);
  PG_ASSERT(again.has_value());
  PG_ASSERT(schema.decode(*again) == *json);
}

void check_json(const Schema& schema, std::string_view json) {
  const auto bytes = schema.encode(json);
  if (!bytes) {
    PG_ASSERT(bytes.error().code == Errc::invalid_argument && !bytes.error().what.empty());
  } else if (bytes->size() < kJsonMax) {
    PG_ASSERT(schema.decode(*bytes).has_value());
    check_bytes(schema, *bytes);
  }
}

void check_schema(const Schema& schema) {
  PG_ASSERT(schema.cannot_read(schema, kPolicy)->empty());
  const auto again = parse_avro_schema(schema.canonical());
  PG_ASSERT(again && (*again)->canonical() == schema.canonical());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = FuzzInput(data, size).rest();
  const auto schema = parse_avro_schema(take_line(rest));
  if (!schema) {
    PG_ASSERT(schema.error().code == Errc::invalid_argument && !schema.error().what.empty());
    return 0;
  }
  check_schema(**schema);
  if (const auto other = parse_avro_schema(take_line(rest))) {
    (void)(*schema)->cannot_read(**other, kPolicy);
    (void)(*other)->cannot_read(**schema, kPolicy);
  }
  check_json(**schema, take_line(rest));
  check_bytes(**schema, rest);
  return 0;
}
