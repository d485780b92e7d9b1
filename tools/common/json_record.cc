#include "tools/common/json_record.h"

#include <fmt/format.h>

#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace pg {
namespace {

using Json = nlohmann::ordered_json;

std::string malformed(std::string_view what) { return fmt::format("malformed record: {}", what); }

Result<std::optional<std::string>> parse_bytes(const Json& json, std::string_view name) {
  if (json.is_null()) return std::nullopt;
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.size() == 1 && json.contains("base64") && json["base64"].is_string()) {
    if (auto bytes = base64_decode(json["base64"].get<std::string>())) return std::move(*bytes);
  }
  return fail(Errc::invalid_argument,
              malformed(fmt::format("\"{}\" is not a string, null or {{\"base64\":\"…\"}}", name)));
}

Result<int64_t> parse_number(const Json& json, std::string_view name, int64_t most) {
  if (json.is_number_integer() && json.get<int64_t>() >= 0 && json.get<int64_t>() <= most &&
      !(json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(most))) {
    return json.get<int64_t>();
  }
  return fail(Errc::invalid_argument, malformed(fmt::format("\"{}\" is not a number from 0 to {}", name, most)));
}

// -1 means none: clients that know no timestamps send it.
Result<int64_t> parse_timestamp(const Json& json) {
  const bool fits =
      json.is_number_integer() &&
      !(json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  if (fits) return json.get<int64_t>();
  return fail(Errc::invalid_argument, malformed("\"timestamp\" is not a 64-bit number of milliseconds"));
}

Result<> parse_headers(const Json& json, JsonRecord& record) {
  const auto refuse = [] {
    return fail(Errc::invalid_argument, malformed("\"headers\" is not a list of [\"name\",\"value\"]"));
  };
  if (!json.is_array()) return refuse();
  for (const auto& header : json) {
    if (!header.is_array() || header.size() != 2) return refuse();
    PG_ASSIGN(auto name, parse_bytes(header[0], "headers"));
    PG_ASSIGN(auto value, parse_bytes(header[1], "headers"));
    if (!name) return refuse();
    record.headers.emplace_back(std::move(*name), std::move(value));
  }
  return {};
}

Result<JsonRecord> to_record(const Json& json) {
  if (!json.is_object()) return fail(Errc::invalid_argument, malformed("a record is an object"));
  JsonRecord record;
  bool has_value = false;
  for (const auto& [name, member] : json.items()) {
    if (name == "key") {
      PG_ASSIGN(record.key, parse_bytes(member, name));
    } else if (name == "value") {
      PG_ASSIGN(record.value, parse_bytes(member, name));
      has_value = true;
    } else if (name == "headers") {
      PG_CHECK(parse_headers(member, record));
    } else if (name == "timestamp") {
      PG_ASSIGN(record.timestamp_ms, parse_timestamp(member));
    } else if (name == "partition") {
      PG_ASSIGN(const int64_t partition, parse_number(member, name, std::numeric_limits<int32_t>::max()));
      record.partition = PartitionId(static_cast<int32_t>(partition));
    }
  }
  if (!has_value) return fail(Errc::invalid_argument, malformed("\"value\" is missing"));
  return record;
}

}  // namespace

void append_json_bytes(std::string& out, std::optional<std::string_view> bytes) {
  if (!bytes) {
    out += "null";
  } else if (is_utf8(*bytes)) {
    out += Json(std::string(*bytes)).dump();
  } else {
    out += "{\"base64\":\"" + base64(*bytes) + "\"}";
  }
}

void append_json_headers(std::string& out, const RecordView& record) {
  out += '[';
  const char* separator = "";
  for (const auto& header : record.headers()) {
    out += separator;
    out += '[';
    append_json_bytes(out, header.name);
    out += ',';
    append_json_bytes(out, header.value);
    out += ']';
    separator = ",";
  }
  out += ']';
}

void append_json_record(std::string& out, const ConsumedRecord& record) {
  // A topic's name needs no escaping.
  fmt::format_to(std::back_inserter(out),
                 R"({{"topic":"{}","partition":{},"offset":{},"timestamp":{},"timestamp_type":"{}","key":)",
                 record.source->topic, record.source->partition.value, record.offset.value, record.timestamp_ms,
                 record.timestamp_type == TimestampType::create ? "create" : "log_append");
  append_json_bytes(out, record.key);
  out += ",\"value\":";
  append_json_bytes(out, record.value);
  out += ",\"headers\":";
  append_json_headers(out, record);
  out += '}';
}

Result<JsonRecord> parse_json_record(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    // To nlohmann/json a text ends with the first NUL byte; what follows it would pass unseen.
    const size_t nul = line.find('\0');
    if (nul != std::string_view::npos)
      return fail(Errc::invalid_argument, fmt::format("column {}: malformed JSON: a NUL byte follows it", nul + 1));
    return to_record(json);
  } catch (const Json::parse_error& e) {
    // The library's text begins with its own error number and position; the reason follows the last colon pair.
    std::string_view reason = e.what();
    if (const auto at = reason.find("syntax error"); at != std::string_view::npos) reason.remove_prefix(at);
    return fail(Errc::invalid_argument, fmt::format("column {}: malformed JSON: {}", e.byte, reason));
  } catch (const std::exception& e) {
    return fail(Errc::invalid_argument, malformed(e.what()));
  }
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_bytes(out, text);
  return out;
}

}  // namespace pg
