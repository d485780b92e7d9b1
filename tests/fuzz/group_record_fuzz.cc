// Any bytes as a key or a value of __consumer_offsets: `corrupt`, or the same after it is written and read again.
#include "core/format/group_record.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

template <class Value>
void check_error(const Result<Value>& parsed) {
  PG_ASSERT(parsed.error().code == Errc::corrupt || parsed.error().code == Errc::unsupported_version);
  PG_ASSERT(!parsed.error().what.empty());
}

template <class Parse, class Write>
void check_value(std::string_view bytes, Parse parse, Write write) {
  const auto parsed = parse(bytes);
  if (!parsed) return check_error(parsed);
  const auto again = parse(write(*parsed));
  PG_ASSERT(again && *again == *parsed);
}

std::string write_key(const GroupRecordKey& key) {
  const auto* offset = std::get_if<OffsetKey>(&key);
  return offset != nullptr ? write_offset_key(*offset) : write_group_key(std::get<GroupKey>(key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = FuzzInput(data, size).rest();
  check_value(bytes, parse_committed_offset, write_committed_offset);
  check_value(bytes, parse_group_metadata, write_group_metadata);
  const auto key = parse_group_record_key(bytes);
  if (!key)
    check_error(key);
  else if (*key)
    PG_ASSERT(*parse_group_record_key(write_key(**key)) == *key);
  return 0;
}
