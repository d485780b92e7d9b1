#include "tools/pg-bench/measurement.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

const Deadline kOrigin{1000s};

}  // namespace

TEST_CASE("measurement: what was due before its origin is warm-up") {
  Measurement measured(kOrigin);
  measured.done(kOrigin - 1ns, kOrigin + 5s, 10, 1000);
  CHECK(measured.records() == 0);
  CHECK(measured.latency().count() == 0);
  measured.done(kOrigin, kOrigin + 250ms, 3, 300);
  CHECK(measured.records() == 3);
  CHECK(measured.bytes() == 300);
  CHECK(measured.seconds() == 0.25);
  CHECK(measured.latency().max() == 250'000'000);
  CHECK(measured.timeline() == std::vector<int64_t>{0, 0, 3});
}

TEST_CASE("measurement: processes together have the sum of their records and the length of the longest") {
  Measurement all(kOrigin), one(kOrigin), other(kOrigin);
  one.passed(kOrigin + 150ms, 5, 50);
  other.passed(kOrigin + 50ms, 2, 20);
  other.done(kOrigin + 40ms, kOrigin + 90ms, 1, 10);
  all.merge(one);
  all.merge(other);
  CHECK(all.records() == 8);
  CHECK(all.bytes() == 80);
  CHECK(all.length() == 150ms);
  CHECK(all.timeline() == std::vector<int64_t>{3, 5});
  CHECK(all.latency().count() == 1);
}

TEST_CASE("measurement: it is the same behind a pipe") {
  Measurement measured(kOrigin);
  for (int i = 1; i <= 1000; ++i) measured.done(kOrigin, kOrigin + i * 1ms, 1, 7);
  const Measurement again = must(Measurement::from_json(measured.to_json()));
  CHECK(again.records() == 1000);
  CHECK(again.bytes() == 7000);
  CHECK(again.length() == 1s);
  CHECK(again.timeline() == measured.timeline());
  CHECK(again.latency().percentile(99) == measured.latency().percentile(99));
  CHECK(again.latency().max() == 1'000'000'000);
}

TEST_CASE("measurement: what is none is refused") {
  for (const char* text :
       {"", "{}", "[]", "null", R"({"origin":"x"})",
        R"({"origin":1,"ended":1,"records":1,"bytes":1,"longest":1,"latency":[[1]],"timeline":[]})"}) {
    const auto parsed = Measurement::from_json(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == Errc::corrupt);
  }
}
