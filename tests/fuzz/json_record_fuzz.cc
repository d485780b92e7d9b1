// Any line as a record in JSON: refused with a reason, or read, printed and read again as the same.
#include "tools/common/json_record.h"

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_record.h"

using namespace pg;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = parse_json_record(FuzzInput(data, size).rest());
  if (!parsed) {
    PG_ASSERT(parsed.error().code == Errc::invalid_argument && !parsed.error().what.empty());
    return 0;
  }
  Record record{parsed->key, parsed->value, {}, parsed->timestamp_ms};
  for (const auto& [name, value] : parsed->headers) record.headers.push_back({name, value});
  const FuzzRecord consumed(record);
  std::string printed;
  append_json_record(printed, consumed.view());
  PG_ASSERT(printed.find('\n') == std::string::npos);
  const auto again = parse_json_record(printed);
  PG_ASSERT(again.has_value());
  PG_ASSERT(again->key == parsed->key && again->value == parsed->value && again->headers == parsed->headers);
  PG_ASSERT(again->timestamp_ms == parsed->timestamp_ms.value_or(0) && again->partition == PartitionId(7));
  return 0;
}
