#include "tools/common/place.h"

#include <stdlib.h>
#include <time.h>

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

constexpr int64_t kNow = 1'795'411'700'123;  // 2026-11-23T05:28:20.123Z

// Local time is that of a zone without surprises while this lives.
struct Zone {
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

std::string shown(const Place& place) {
  static constexpr const char* kNames[] = {"start", "end", "offset", "after_start", "before_end", "timestamp"};
  return std::string(kNames[static_cast<int>(place.kind)]) + " " + std::to_string(place.value);
}

std::string range(std::string_view text) {
  const auto parsed = parse_place_range(text, kNow);
  if (!parsed) return "refused";
  return shown(parsed->from) + (parsed->to ? " to " + shown(*parsed->to) : "");
}

}  // namespace

TEST_CASE("place: the grammar of -o") {
  const Zone zone("UTC");
  const std::pair<const char*, const char*> rows[] = {
      {"start", "start 0"},
      {"end", "end 0"},
      {"0", "offset 0"},
      {"42", "offset 42"},
      {"9223372036854775807", "offset 9223372036854775807"},
      {"+5", "after_start 5"},
      {"-5", "before_end 5"},
      {"5:", "offset 5"},
      {":5", "start 0 to offset 5"},
      {"5:9", "offset 5 to offset 9"},
      {"5:5", "offset 5 to offset 5"},
      {"-9:-5", "before_end 9 to before_end 5"},
      {"+1:+3", "after_start 1 to after_start 3"},
      {"start:end", "start 0 to end 0"},
      {"5:end", "offset 5 to end 0"},
      {"-5:end", "before_end 5 to end 0"},
      {"@0", "timestamp 0"},
      {"@1700000000", "timestamp 1700000000000"},
      {"@1700000000000", "timestamp 1700000000000"},
      {"@1700000000:1700000001", "timestamp 1700000000000 to timestamp 1700000001000"},
      {"@1700000000:@1700000001", "timestamp 1700000000000 to timestamp 1700000001000"},
      {"@1700000000:end", "timestamp 1700000000000 to end 0"},
      {":@1700000000", "start 0 to timestamp 1700000000000"},
      {"5:@1700000000", "offset 5 to timestamp 1700000000000"},
      {"@2023-11-14", "timestamp 1699920000000"},
      {"@2023-11-14T22:13:20", "timestamp 1700000000000"},
      {"@2023-11-14T22:13:20Z:2023-11-14T22:13:21Z", "timestamp 1700000000000 to timestamp 1700000001000"},
      {"@2023-11-14T22:13:@2023-11-14T22:14", "timestamp 1699999980000 to timestamp 1700000040000"},
      {"@2023-11-14:2023-11-15", "timestamp 1699920000000 to timestamp 1700006400000"},
      {"@-6h", "timestamp 1795390100123"},
      {"@-6h:-1h", "timestamp 1795390100123 to timestamp 1795408100123"},
  };
  for (const auto& [text, expected] : rows) {
    CAPTURE(text);
    CHECK(range(text) == expected);
  }
}

TEST_CASE("place: what is not a place is refused") {
  const Zone zone("UTC");
  for (const char* text : {"",
                           ":",
                           "x",
                           "5x",
                           "+",
                           "-",
                           "+-5",
                           "--5",
                           "1.5",
                           " 5",
                           "5 ",
                           "5:x",
                           "x:5",
                           "1:2:3",
                           "start:x",
                           "@",
                           "@x",
                           "@-6",
                           "@-6x",
                           "@123456789012",
                           "@12345678901234",
                           "@2023-11",
                           "@2023-13-01",
                           "@2023-02-30",
                           "@2023-11-14T",
                           "@2023-11-14T24:00",
                           "@2023-11-14T22:60",
                           "@2023-11-14T22:13:20+",
                           "@2023-11-14T22:13:20+1",
                           "@2023-11-14T22:13:20X",
                           "@2023-11-14T22:13:20.",
                           "9223372036854775808",
                           "-9223372036854775808:",
                           "Start",
                           "9:5",
                           "@1700000001:1700000000"}) {
    CAPTURE(text);
    const auto parsed = parse_place_range(text, kNow);
    CHECK_FALSE(parsed.has_value());
    if (!parsed) CHECK(parsed.error().code == Errc::invalid_argument);
  }
}

TEST_CASE("place: points in time") {
  const Zone zone("Europe/Berlin");
  const std::pair<const char*, int64_t> rows[] = {
      {"2023-11-14T22:13:20Z", 1'700'000'000'000},
      {"2023-11-14t22:13:20z", 1'700'000'000'000},
      {"2023-11-14 22:13:20Z", 1'700'000'000'000},
      {"2023-11-14T23:13:20+01:00", 1'700'000'000'000},
      {"2023-11-14T23:13:20+0100", 1'700'000'000'000},
      {"2023-11-14T23:13:20+01", 1'700'000'000'000},
      {"2023-11-14T17:13:20-05", 1'700'000'000'000},
      {"2023-11-14T17:43:20-04:30", 1'700'000'000'000},
      {"2023-11-14T22:13:20.5Z", 1'700'000'000'500},
      {"2023-11-14T22:13:20.123456789Z", 1'700'000'000'123},
      {"2023-11-14T23:13:20", 1'700'000'000'000},  // local
      {"2023-11-14", 1'699'916'400'000},           // local midnight
      {"2023-07-01T00:00", 1'688'162'400'000},     // summer time
      {"1970-01-01T00:00Z", 0},
      {"1969-12-31T23:59:59Z", -1000},
      {"0", 0},
      {"99999999999", 99'999'999'999'000},
      {"0000000000001", 1},
  };
  for (const auto& [text, ms] : rows) {
    CAPTURE(text);
    const auto parsed = parse_time(text, kNow);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == ms);
  }
  CHECK(must(parse_time("-1500ms", kNow)) == kNow - 1500);
  CHECK(must(parse_time("-0", kNow)) == kNow);
}

TEST_CASE("place: a local time that comes twice, or never, begins early and ends late") {
  const auto both = [](const char* zone_name, const std::string& time) {
    const Zone zone(zone_name);
    const auto parsed = must(parse_place_range("@" + time + ":" + time, kNow));
    return std::pair(parsed.from.value / 1000, parsed.to->value / 1000);
  };
  using Seconds = std::pair<int64_t, int64_t>;
  // The clock is put back from 03:00 to 02:00, on from 02:00 to 03:00; and in the south, where summer time is in
  // winter.
  CHECK(both("Europe/Berlin", "2026-10-25T02:30") == Seconds(1'792'888'200, 1'792'891'800));
  CHECK(both("Europe/Berlin", "2026-10-25T01:59:59") == Seconds(1'792'886'399, 1'792'886'399));
  CHECK(both("Europe/Berlin", "2026-10-25T03:00") == Seconds(1'792'893'600, 1'792'893'600));
  CHECK(both("Europe/Berlin", "2026-03-29T02:30") == Seconds(1'774'744'200, 1'774'747'800));
  CHECK(both("America/Sao_Paulo", "2018-02-17T23:30") == Seconds(1'518'917'400, 1'518'921'000));
  // Without summer time: Moscow changed its zone.
  CHECK(both("Europe/Moscow", "2014-10-26T01:30") == Seconds(1'414'272'600, 1'414'276'200));
  {
    const Zone zone("Europe/Berlin");
    CHECK(must(parse_time("2026-10-25T02:30", kNow)) == 1'792'888'200'000);
    CHECK(must(parse_one_place("@2026-10-25T02:30", kNow)).value == 1'792'888'200'000);
    CHECK(must(parse_time("2026-10-25T02:30+01", kNow)) == 1'792'891'800'000);
  }
}
