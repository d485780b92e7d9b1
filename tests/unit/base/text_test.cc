#include "core/base/text.h"

#include <limits>

#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::optional<int64_t> nanoseconds_of(std::string_view text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return {};
  return parsed->count();
}

}  // namespace

TEST_CASE("text: parse_integer takes a whole number and nothing else") {
  CHECK(parse_integer("0") == 0);
  CHECK(parse_integer("-12") == -12);
  CHECK(parse_integer("007") == 7);
  CHECK(parse_integer("9223372036854775807") == kMax);
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<int64_t>::min());
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "1e3", "--1", "9223372036854775808", "٣"}) {
    CAPTURE(text);
    CHECK(parse_integer(text) == std::nullopt);
  }
  CHECK(parse_integer(std::string_view("1\0", 2)) == std::nullopt);
}

TEST_CASE("text: a duration needs a unit") {
  const struct {
    const char* text;
    int64_t nanoseconds;
  } good[] = {{"0", 0},
              {"0s", 0},
              {"5us", 5'000},
              {"20ms", 20'000'000},
              {"1s", 1'000'000'000},
              {"2m", 120'000'000'000},
              {"1h", 3'600'000'000'000},
              {"1d", 86'400'000'000'000},
              {"106751d", 106'751 * 86'400'000'000'000}};
  for (const auto& row : good) {
    CAPTURE(row.text);
    CHECK(nanoseconds_of(row.text) == row.nanoseconds);
  }
  for (const char* text : {"", "5", "s", "ms", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1ns", "1w", "1M",
                           "106752d", "9223372036854775807s", "1m30s"}) {
    CAPTURE(text);
    CHECK(nanoseconds_of(text) == std::nullopt);
  }
}

TEST_CASE("text: a size is bytes or powers of 1024") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("1") == 1);
  CHECK(parse_size("4K") == 4096);
  CHECK(parse_size("1M") == 1 << 20);
  CHECK(parse_size("3G") == int64_t{3} << 30);
  CHECK(parse_size("8589934591G") == int64_t{8589934591} << 30);
  for (const char* text : {"", "K", "-1", "1k", "1KB", "1T", "1.5M", "1 M", "8589934592G", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK(parse_size(text) == std::nullopt);
  }
}

TEST_CASE("text: what is UTF-8 and what is not") {
  const struct {
    std::string_view text;
    bool valid;
  } rows[] = {
      {"", true},
      {"plain", true},
      {{"\0", 1}, true},
      {"\x7f", true},
      {"\xc2\x80", true},          // U+0080, the first of two bytes
      {"\xdf\xbf", true},          // U+07FF
      {"\xe0\xa0\x80", true},      // U+0800
      {"\xed\x9f\xbf", true},      // U+D7FF, the last before the surrogates
      {"\xee\x80\x80", true},      // U+E000
      {"\xef\xbf\xbf", true},      // U+FFFF
      {"\xf0\x90\x80\x80", true},  // U+10000
      {"\xf4\x8f\xbf\xbf", true},  // U+10FFFF
      {"grüße ✓ 🚀", true},
      {"\x80", false},  // a continuation alone
      {"\xbf", false},
      {"\xc0\x80", false},  // overlong NUL
      {"\xc1\xbf", false},  // overlong
      {"\xc2", false},      // cut short
      {"\xc2\x41", false},
      {"\xe0\x9f\xbf", false},  // overlong
      {"\xe1\x80", false},
      {"\xed\xa0\x80", false},  // a surrogate
      {"\xed\xbf\xbf", false},
      {"\xf0\x8f\xbf\xbf", false},  // overlong
      {"\xf0\x90\x80", false},
      {"\xf4\x90\x80\x80", false},  // above U+10FFFF
      {"\xf5\x80\x80\x80", false},
      {"\xff", false},
      {"\xfe", false},
      {"a\xc3\x28z", false},
  };
  for (const auto& row : rows) {
    CAPTURE(hex(row.text));
    CHECK(is_utf8(row.text) == row.valid);
    CHECK(is_utf8("x" + std::string(row.text) + "y") == row.valid);
  }
}

TEST_CASE("text: base64 as in RFC 4648") {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "Zg=="},
                                                                {"fo", "Zm8="},
                                                                {"foo", "Zm9v"},
                                                                {"foob", "Zm9vYg=="},
                                                                {"fooba", "Zm9vYmE="},
                                                                {"foobar", "Zm9vYmFy"},
                                                                {"\xff\xff\xff", "////"},
                                                                {"\xfb\xef\xbe", "++++"},
                                                                {{"\0", 1}, "AA=="}};
  for (const auto& [bytes, text] : rows) {
    CHECK(base64(bytes) == text);
    CHECK(base64_decode(text) == std::string(bytes));
  }
}

TEST_CASE("text: base64 that base64() would not have written is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zm9v Zg==", "Zm9v\n", "Zg==Zg==", "Zm=v",
                           "Zh==", "Zm9=", "Zm-v", "Zm_v", "Zm9vYg=a", "Zm9\xff"}) {
    CAPTURE(text);
    CHECK(base64_decode(text) == std::nullopt);
  }
}

TEST_CASE("text: random bytes come back from base64") {
  SeededRandom random;
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes = random.bytes(random.below(100));
    REQUIRE(base64_decode(base64(bytes)) == bytes);
  }
}

TEST_CASE("text: hex") {
  CHECK(hex("") == "");
  CHECK(hex({"\0\x0f\xf0\xff", 4}) == "000ff0ff");
}

TEST_CASE("text: RFC 3339 in UTC with milliseconds") {
  const std::pair<int64_t, const char*> rows[] = {{0, "1970-01-01T00:00:00.000Z"},
                                                  {-1, "1969-12-31T23:59:59.999Z"},
                                                  {951'782'399'999, "2000-02-28T23:59:59.999Z"},
                                                  {951'782'400'000, "2000-02-29T00:00:00.000Z"},
                                                  {1'795'411'700'123, "2026-11-23T05:28:20.123Z"},
                                                  {4'102'444'800'000, "2100-01-01T00:00:00.000Z"},
                                                  {253'402'300'799'999, "9999-12-31T23:59:59.999Z"}};
  for (const auto& [ms, text] : rows) CHECK(rfc3339_utc(ms) == text);
}

TEST_CASE("text: years of more or fewer digits than RFC 3339 has are written with a sign, and are the true ones") {
  const std::pair<int64_t, const char*> rows[] = {
      {-1, "1969-12-31T23:59:59.999Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
      {-62'167'219'200'001, "-000001-12-31T23:59:59.999Z"},
      {253'402'300'800'000, "+010000-01-01T00:00:00.000Z"},
      {1'700'000'000'000'000, "+055840-11-08T22:13:20.000Z"},
      {kMax, "+292278994-08-17T07:12:55.807Z"},
      {std::numeric_limits<int64_t>::min(), "-292275055-05-16T16:47:04.192Z"}};
  for (const auto& [ms, text] : rows) CHECK(rfc3339_utc(ms) == text);
}

TEST_CASE("text: a uuid comes back from its 22 characters") {
  SeededRandom random;
  for (int i = 0; i < 200; ++i) {
    const Uuid id = random.uuid();
    const std::string text = uuid_text(id);
    REQUIRE(text.size() == 22);
    REQUIRE(text.find_first_of("+/=") == std::string::npos);
    REQUIRE(text.front() != '-');
    REQUIRE(parse_uuid(text) == id);
  }
  Uuid bytes{};
  bytes.fill(0xff);
  CHECK(uuid_text(bytes) == "_____________________w");
  CHECK(parse_uuid("_____________________w") == bytes);
}

TEST_CASE("text: what is no uuid is refused") {
  for (const char* text : {"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB",
                           "AAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA+A", "AAAAAAAAAAAAAAAAAAAA/A",
                           "AAAAAAAAAAAAAAAAAAAA A", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uuid(text).has_value());
  }
}

TEST_CASE("text: split keeps empty parts") {
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(split("a", ',') == std::vector<std::string_view>{"a"});
  CHECK(split(",a,,b,", ',') == std::vector<std::string_view>{"", "a", "", "b", ""});
}
