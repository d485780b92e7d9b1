// Two Protobuf schemas and a payload, with a NUL between them: refused with a reason, or stored as a text that is read
// as itself, compared, and the payload printed. What can be encoded can be decoded.
#include "core/schema/protobuf/protobuf_schema.h"

#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

std::unique_ptr<Schema> parse(std::string_view text) {
  auto schema = parse_protobuf_schema(text);
  if (!schema) {
    PG_ASSERT(schema.error().code == Errc::invalid_argument && !schema.error().what.empty());
    return nullptr;
  }
  const auto again = parse_protobuf_schema((*schema)->canonical());
  PG_ASSERT(again.has_value() && (*again)->canonical() == (*schema)->canonical());
  PG_ASSERT((*again)->cannot_read(**schema, CompatibilityPolicy::strict)->empty());
  return std::move(*schema);
}

std::string_view until_nul(std::string_view& rest) {
  const auto text = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  return text;
}

void code(const Schema& schema, std::string_view payload) {
  const auto json = schema.decode(payload);
  PG_ASSERT(json || json.error().code == Errc::corrupt);
  if (!json) return;
  PG_ASSERT(json->find('\n') == std::string::npos);
  if (const auto encoded = schema.encode(*json)) PG_ASSERT(schema.decode(*encoded).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto rest = FuzzInput(data, size).rest();
  const auto writer = parse(until_nul(rest)), reader = parse(until_nul(rest));
  if (writer) code(*writer, rest);
  if (writer && reader) static_cast<void>(reader->cannot_read(*writer, CompatibilityPolicy::strict));
  return 0;
}
