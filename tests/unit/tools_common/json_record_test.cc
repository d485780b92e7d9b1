#include "tools/common/json_record.h"

#include <fmt/format.h>

#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"
#include "tests/support/test_home.h"

using namespace pg;

namespace {

std::string json_bytes(std::optional<std::string_view> bytes) {
  std::string out;
  append_json_bytes(out, bytes);
  return out;
}

}  // namespace

TEST_CASE("json_record: a timestamp is any number of 64 bits, and -1 is none") {
  for (const int64_t ms : {int64_t{-1}, int64_t{-5000}, int64_t{1'700'000'000'000'000}, INT64_MAX, INT64_MIN}) {
    CHECK(must(parse_json_record(fmt::format(R"({{"value":"v","timestamp":{}}})", ms))).timestamp_ms == ms);
  }
}

TEST_CASE("json_record: bytes are a string, an object with base64, or null") {
  CHECK(json_bytes({}) == "null");
  CHECK(json_bytes("") == "\"\"");
  CHECK(json_bytes("grün \"x\" \\ \n\x01") == "\"grün \\\"x\\\" \\\\ \\n\\u0001\"");
  CHECK(json_bytes(std::string_view("a\0b", 3)) == "\"a\\u0000b\"");
  CHECK(json_bytes("\xff\xfe") == "{\"base64\":\"//4=\"}");
}

TEST_CASE("json_record: a whole line") {
  TestHome t;
  const auto producer = t.producer("t");
  must(producer->send(
      {.key = "k", .value = "v", .headers = {{"h", "1"}, {"n", {}}}, .timestamp_ms = 1'732'320'000'000}));
  must(producer->send({.value = "\xff", .timestamp_ms = 5}));
  must(producer->close());
  const auto consumer = t.consumer({.topics = {"t"}});
  std::string out;
  append_json_record(out, *must(consumer->next_record()));
  CHECK(out == R"({"topic":"t","partition":0,"offset":0,"timestamp":1732320000000,"timestamp_type":"create","key":"k",)"
               R"("value":"v","headers":[["h","1"],["n",null]]})");
  out.clear();
  append_json_record(out, *must(consumer->next_record()));
  CHECK(out == R"({"topic":"t","partition":0,"offset":1,"timestamp":5,"timestamp_type":"create","key":null,)"
               R"("value":{"base64":"/w=="},"headers":[]})");
}

TEST_CASE("json_record: random records come back from their line") {
  SeededRandom random;
  TestHome t;
  t.create("t", 3);
  const auto text = [&]() -> std::optional<std::string> {
    if (random.one_in(5)) return std::nullopt;
    if (random.one_in(3)) return random.bytes(random.below(20));
    return std::string("päth/\"") + std::to_string(random.below(100));
  };
  for (int i = 0; i < 200; ++i) {
    JsonRecord sent;
    sent.key = text();
    sent.value = text();
    sent.timestamp_ms = static_cast<int64_t>(random.next() >> 1);
    sent.partition = PartitionId(static_cast<int32_t>(random.below(3)));
    for (auto n = random.below(4); n-- > 0;) sent.headers.emplace_back(random.bytes(random.below(5)), text());
    ConsumedRecord record;
    TopicPartition source{"t", *sent.partition};
    BatchBuilder builder;
    Record wire{.key = sent.key, .value = sent.value};
    for (const auto& [name, value] : sent.headers) wire.headers.push_back({name, value});
    REQUIRE(builder.add(wire, *sent.timestamp_ms, 1 << 20));
    const auto batch = builder.finish();
    Decompressor decompressor;
    auto cursor = must(RecordCursor::begin(batch, read_batch_header(batch), decompressor));
    REQUIRE(must(cursor.next(record)));
    record.source = &source;
    std::string line;
    append_json_record(line, record);
    CAPTURE(line);
    REQUIRE(line.find('\n') == std::string::npos);
    const JsonRecord back = must(parse_json_record(line));
    CHECK((back.key == sent.key));
    CHECK((back.value == sent.value));
    CHECK((back.headers == sent.headers));
    CHECK(back.timestamp_ms == sent.timestamp_ms);
    CHECK((back.partition == sent.partition));
  }
}

TEST_CASE("json_record: only the value must be there, and what is unknown is ignored") {
  const JsonRecord record =
      must(parse_json_record(R"({"value":"v","topic":5,"offset":"x","timestamp_type":null,"more":{}})"));
  CHECK(record.value == "v");
  CHECK_FALSE(record.key.has_value());
  CHECK_FALSE(record.timestamp_ms.has_value());
  CHECK_FALSE(record.partition.has_value());
  CHECK(record.headers.empty());
  const JsonRecord nulls = must(parse_json_record(R"( {"value":null,"key":"","headers":[[{"base64":"/w=="},null]]} )"));
  CHECK_FALSE(nulls.value.has_value());
  CHECK(nulls.key == "");
  CHECK(nulls.headers.front().first == "\xff");
  CHECK(must(parse_json_record(R"({"value":"\u00e9\ud83d\ude80"})")).value == "é🚀");
}

TEST_CASE("json_record: what is malformed is refused, with its place or its name") {
  const std::pair<std::string_view, const char*> rows[] = {
      {"", "malformed JSON"},
      {"{", "column 2"},
      {{"{\"value\":\"v\"}\0x", 15}, "column 14: malformed JSON: a NUL byte"},
      {R"({"value":"v"} x)", "column 15"},
      {R"({"value":"v")", "malformed JSON"},
      {"[]", "a record is an object"},
      {"\"v\"", "a record is an object"},
      {"{}", "\"value\" is missing"},
      {R"({"key":"k"})", "\"value\" is missing"},
      {R"({"value":5})", "\"value\" is not a string"},
      {R"({"value":["v"]})", "\"value\" is not a string"},
      {R"({"value":{"base64":"x"}})", "\"value\" is not a string"},
      {R"({"value":{"base64":"/w==","more":1}})", "\"value\" is not a string"},
      {R"({"value":"v","key":true})", "\"key\" is not a string"},
      {R"({"value":"v","timestamp":"5"})", "\"timestamp\" is not a 64-bit number"},
      {R"({"value":"v","timestamp":1.5})", "\"timestamp\" is not a 64-bit number"},
      {R"({"value":"v","timestamp":9223372036854775808})", "\"timestamp\" is not a 64-bit number"},
      {R"({"value":"v","timestamp":18446744073709551615})", "\"timestamp\" is not a 64-bit number"},
      {R"({"value":"v","partition":2147483648})", "\"partition\" is not a number"},
      {R"({"value":"v","partition":-1})", "\"partition\" is not a number"},
      {R"({"value":"v","headers":{}})", "\"headers\" is not a list"},
      {R"({"value":"v","headers":[["a"]]})", "\"headers\" is not a list"},
      {R"({"value":"v","headers":[["a","b","c"]]})", "\"headers\" is not a list"},
      {R"({"value":"v","headers":[[null,"b"]]})", "\"headers\" is not a list"},
      {R"({"value":"v","headers":["a"]})", "\"headers\" is not a list"},
      {"{\"value\":\"\xff\"}", "malformed JSON"},
      {R"({"value":"\ud800"})", "malformed JSON"},
  };
  for (const auto& [line, message] : rows) {
    CAPTURE(line);
    const auto parsed = parse_json_record(line);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::invalid_argument);
    CHECK(parsed.error().what.find(message) != std::string::npos);
  }
}

TEST_CASE("json_record: deep nesting does no harm") {
  std::string deep(100'000, '[');
  CHECK_FALSE(parse_json_record(deep).has_value());
  CHECK_FALSE(parse_json_record("{\"value\":" + deep).has_value());
}
