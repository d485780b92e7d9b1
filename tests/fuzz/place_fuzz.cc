// Any text as an -o range or a time: refused with a reason, or understood as it is written.
#include "tools/common/place.h"

#include <cstdlib>

#include "core/base/text.h"
#include "tests/fuzz/fuzz_input.h"

using namespace pg;

namespace {

constexpr int64_t kNow = 1'732'320'000'000;
[[maybe_unused]] const int kZone = setenv("TZ", "UTC", 1);

void check_time(std::string_view text) {
  const auto time = parse_time(text, kNow);
  if (!time) {
    PG_ASSERT(time.error().code == Errc::invalid_argument && !time.error().what.empty());
    return;
  }
  const auto place = parse_place_range("@" + std::string(text), kNow);
  PG_ASSERT(place && place->from == (Place{Place::Kind::timestamp, *time}) && !place->to);
  constexpr int64_t kYearTenThousand = 253'402'300'800'000;
  if (*time < 0 || *time >= kYearTenThousand) return;
  const std::string printed = rfc3339_utc(*time);
  PG_ASSERT(parse_time(printed, kNow) == *time);
  PG_ASSERT(parse_time(printed.substr(0, printed.size() - 1), kNow) ==
            *time);  // without its Z it is local, which is UTC
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = FuzzInput(data, size).rest();
  check_time(text);
  const auto range = parse_place_range(text, kNow);
  if (!range) {
    PG_ASSERT(range.error().code == Errc::invalid_argument && !range.error().what.empty());
    return 0;
  }
  for (const auto& place : {std::optional(range->from), range->to}) {
    if (place && place->kind != Place::Kind::timestamp) PG_ASSERT(place->value >= 0);
  }
  if (range->to && range->to->kind == range->from.kind) {
    const bool back = range->from.kind == Place::Kind::before_end;
    PG_ASSERT(back ? range->to->value <= range->from.value : range->to->value >= range->from.value);
  }
  if (!range->to && !text.ends_with(':')) {
    const auto left = parse_place_range(std::string(text) + ":", kNow);
    PG_ASSERT(left && left->from == range->from && !left->to);
    const auto right = parse_place_range(":" + std::string(text), kNow);
    PG_ASSERT(right && right->to == range->from);
  }
  return 0;
}
