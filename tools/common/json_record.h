// A record as one line of JSON, the same in both directions:
//
//   {"topic":"t","partition":0,"offset":42,"timestamp":1732320000000,"timestamp_type":"create","key":"k","value":"v",
//    "headers":[["name","value"],...]}
//
// null is null; bytes that are not UTF-8 are {"base64":"..."} in place of the string. On input `topic`, `offset` and
// `timestamp_type` are ignored, and so is any name that is not in the list; everything may be missing but `value`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tools/common/api.h"

namespace pg {

// Appends the JSON of a string, an object with its base64, or null.
void append_json_bytes(std::string& out, std::optional<std::string_view> bytes);
std::string json_string(std::string_view text);
void append_json_headers(std::string& out, const RecordView& record);
// Appends the whole line, without its newline.
void append_json_record(std::string& out, const ConsumedRecord& record);

struct JsonRecord {
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::optional<int64_t> timestamp_ms;
  std::optional<PartitionId> partition;
};

// invalid_argument names the column (from 1) and what is wrong there.
Result<JsonRecord> parse_json_record(std::string_view line);

}  // namespace pg
