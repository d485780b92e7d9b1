#include "tools/common/record_printer.h"

#include <unistd.h>

#include "core/format/record_batch.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

using namespace pg;

namespace {

// A record with all there is: key, value, two headers (one null).
struct SampleRecord {
  SampleRecord() {
    BatchBuilder builder;
    PG_ASSERT(builder.add({.key = "key", .value = "val\xff", .headers = {{"h1", "a"}, {"h2", {}}}}, 1'732'320'000'123,
                          1 << 20));
    const auto batch = builder.finish();
    bytes.assign(batch.begin(), batch.end());
    stamp_batch(bytes, Offset(42), LeaderEpoch(3));
    const BatchHeader header = read_batch_header(bytes);
    Decompressor decompressor;
    auto cursor = must(RecordCursor::begin(bytes, header, decompressor));
    PG_ASSERT(must(cursor.next(record)));
    record.source = &source;
    record.leader_epoch = header.leader_epoch;
  }
  std::vector<std::byte> bytes;
  TopicPartition source{"topic", PartitionId(7)};
  ConsumedRecord record;
};

std::string formatted(std::string_view format, const ConsumedRecord& record) {
  std::string out;
  must(FormatString::parse(format)).append(out, record);
  return out;
}

PrintOptions plain(const std::string& delimiter, std::optional<std::string> key_delimiter = {}) {
  PrintOptions options;
  options.delimiter = delimiter;
  options.key_delimiter = std::move(key_delimiter);
  return options;
}

// What a printer writes.
std::string printed(PrintOptions options, const std::vector<ConsumedRecord>& records) {
  const TempDir directory;
  const std::string path = directory.path() + "/out";
  std::FILE* file = std::fopen(path.c_str(), "w");
  RecordPrinter printer(std::move(options), OutputStream(fileno(file), "output"));
  for (const auto& record : records) must(printer.print(record));
  must(printer.flush());
  must(printer.flush());
  std::fclose(file);
  return must(posix_env().files.read_all(path));
}

}  // namespace

TEST_CASE("record_printer: each field of a format") {
  const SampleRecord sample;
  const std::pair<const char*, std::string> rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"%t %p %o %e", "topic 7 42 3"},
      {"%k=%v", "key=val\xff"},
      {"%s", "val\xff"},
      {"%T %d", "1732320000123 2024-11-23T00:00:00.123Z"},
      {"%K %S", "3 4"},
      {"%h", "h1=a,h2="},
      {"%h{json}", R"([["h1","a"],["h2",null]])"},
      {"%h{hex}", "h1=61,h2="},
      {"%h{base64}", "h1=YQ==,h2="},
      {"%k{hex}|%k{base64}|%k{json}", "6b6579|a2V5|\"key\""},
      {"%v{json}", R"({"base64":"dmFs/w=="})"},
      {"%s{hex}", "76616cff"},
      {"%%%%t", "%%t"},
      {"\\n\\t\\0\\\\\\x41", std::string("\n\t\0\\A", 5)},
      {"%k{", "key{"},
      {"%o{hex}", "42{hex}"},  // only k, v, s and h have encodings
      {"{%t}", "{topic}"},
  };
  for (const auto& [format, expected] : rows) {
    CAPTURE(format);
    const auto parsed = FormatString::parse(format);
    if (std::string_view(format) == "%k{") {
      CHECK_FALSE(parsed.has_value());  // an encoding that does not end
      continue;
    }
    REQUIRE(parsed.has_value());
    CHECK(formatted(format, sample.record) == expected);
  }
}

TEST_CASE("record_printer: null prints nothing, and its length is -1; json says null") {
  SampleRecord sample;
  sample.record.key.reset();
  sample.record.value.reset();
  CHECK(formatted("[%k][%v][%k{hex}][%v{base64}]", sample.record) == "[][][][]");
  CHECK(formatted("%K %S %k{json} %v{json}", sample.record) == "-1 -1 null null");
  sample.record.key = "";
  CHECK(formatted("%K %k{json}", sample.record) == "0 \"\"");
}

TEST_CASE("record_printer: a format that is not understood is refused, and named") {
  const std::pair<const char*, const char*> rows[] = {{"%", "'%'"},      {"%x", "'%x'"},         {"a%", "'%'"},
                                                      {"%V", "'%V'"},    {"\\", "'\\'"},         {"\\q", "'\\q'"},
                                                      {"\\x4", "'\\x'"}, {"%v{xml}", "'{xml}'"}, {"%v{hex", "'{hex'"}};
  for (const auto& [format, named] : rows) {
    CAPTURE(format);
    const auto parsed = FormatString::parse(format);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::invalid_argument);
    CHECK(parsed.error().what.find(named) != std::string::npos);
  }
}

TEST_CASE("record_printer: plain records, with and without keys") {
  SampleRecord sample;
  SampleRecord nulls;
  nulls.record.key.reset();
  nulls.record.value.reset();
  CHECK(printed({}, {sample.record, nulls.record}) == "val\xff\n\n");
  CHECK(printed(plain(std::string(1, '\0')), {sample.record}) == std::string("val\xff\0", 5));
  CHECK(printed(plain(""), {sample.record, sample.record}) == "val\xffval\xff");
  CHECK(printed(plain("\n", "\t"), {sample.record, nulls.record}) == "key\tval\xff\n\t\n");
}

TEST_CASE("record_printer: frames begin with the length of what follows") {
  const SampleRecord sample;
  ConsumedRecord null = sample.record;
  null.value.reset();
  PrintOptions options = plain("");
  options.framing = Framing::len32be;
  CHECK(printed(options, {sample.record, null}) == std::string("\0\0\0\4val\xff\0\0\0\0", 12));
  options.key_delimiter = "::";
  CHECK(printed(options, {sample.record, null}) == std::string("\0\0\0\x09key::val\xff\0\0\0\5key::", 22));
}

TEST_CASE("record_printer: json lines and formats") {
  const SampleRecord sample;
  PrintOptions json;
  json.json = true;
  CHECK(printed(json, {sample.record}) ==
        R"({"topic":"topic","partition":7,"offset":42,"timestamp":1732320000123,"timestamp_type":"create","key":"key",)"
        R"("value":{"base64":"dmFs/w=="},"headers":[["h1","a"],["h2",null]]})"
        "\n");
  PrintOptions options;
  options.format = must(FormatString::parse("%o;"));
  CHECK(printed(std::move(options), {sample.record, sample.record}) == "42;42;");
}

TEST_CASE("record_printer: large and small records keep their order") {
  SampleRecord small, large;
  const std::string value(300'000, 'L');
  large.record.value = value;
  small.record.value = "s";
  std::vector<ConsumedRecord> records;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const bool is_large = i % 7 == 3;
    records.push_back(is_large ? large.record : small.record);
    expected += (is_large ? value : "s") + "\n";
  }
  CHECK((printed({}, records) == expected));
}

TEST_CASE("record_printer: an output that takes nothing more is an error") {
  const SampleRecord sample;
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  RecordPrinter printer({}, OutputStream(fileno(full), "standard output"));
  const auto done = printer.print(sample.record).and_then([&] { return printer.flush(); });
  CHECK(code_of(done) == Errc::no_space);
  std::fclose(full);
}
