#include "tools/common/place.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/text.h"

namespace pg {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes exactly `count` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count || !all_digits(text.substr(0, count))) return {};
  const auto value = parse_integer(text.substr(0, count));
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

struct Civil {
  tm date{};
  int milliseconds = 0;
  std::optional<int> zone_seconds;  // empty: local time
};

bool parse_clock(std::string_view& text, Civil& civil) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return false;
  civil.date.tm_hour = *hour;
  civil.date.tm_min = *minute;
  if (!take(text, ':')) return true;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return false;
  civil.date.tm_sec = *second;
  if (!take(text, '.')) return true;
  int scale = 100;
  if (text.empty() || !all_digits(text.substr(0, 1))) return false;
  while (const auto digit = take_digits(text, 1)) {
    civil.milliseconds += *digit * scale;
    scale /= 10;
  }
  return true;
}

bool parse_zone(std::string_view& text, Civil& civil) {
  if (text.empty()) return true;
  if (take(text, 'Z') || take(text, 'z')) {
    civil.zone_seconds = 0;
    return true;
  }
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return false;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23) return false;
  int minutes = 0;  // "+05" has none
  if (!text.empty()) {
    (void)take(text, ':');
    const auto given = take_digits(text, 2);
    if (!given || *given > 59) return false;
    minutes = *given;
  }
  civil.zone_seconds = (*hours * 3600 + minutes * 60) * (west ? -1 : 1);
  return true;
}

// By how much local time is ahead of UTC at that instant.
time_t zone_offset(time_t instant) {
  tm local{};
  return localtime_r(&instant, &local) == nullptr ? 0 : local.tm_gmtoff;
}

// The instant of a local time, which is given as if it were UTC. Zone offsets change by less than a day, and not twice
// in two days.
time_t local_instant(time_t as_utc, Ambiguous which) {
  constexpr time_t kDay = 86'400;
  tzset();  // localtime_r need not
  const time_t before = as_utc - zone_offset(as_utc - kDay), after = as_utc - zone_offset(as_utc + kDay);
  const auto fits = [&](time_t instant) { return zone_offset(instant) == as_utc - instant; };
  if (fits(before) != fits(after)) return fits(before) ? before : after;
  return which == Ambiguous::earlier ? std::min(before, after) : std::max(before, after);
}

std::optional<int64_t> parse_civil(std::string_view text, Ambiguous which) {
  Civil civil;
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day || *day < 1 || *day > 31) return {};
  civil.date.tm_year = *year - 1900;
  civil.date.tm_mon = *month - 1;
  civil.date.tm_mday = *day;
  if (take(text, 'T') || take(text, 't') || take(text, ' ')) {
    if (!parse_clock(text, civil) || !parse_zone(text, civil)) return {};
  }
  if (!text.empty()) return {};
  tm normalised = civil.date;
  const time_t as_utc = timegm(&normalised);
  const time_t seconds = civil.zone_seconds ? as_utc - *civil.zone_seconds : local_instant(as_utc, which);
  if (normalised.tm_mday != civil.date.tm_mday) return {};  // the 31st of a shorter month
  return int64_t{seconds} * 1000 + civil.milliseconds;
}

Result<Place> parse_place(std::string_view text, int64_t now_ms, Ambiguous which) {
  if (text == "start") return Place{Place::Kind::start, 0};
  if (text == "end") return Place{Place::Kind::end, 0};
  if (text.starts_with('@')) {
    PG_ASSIGN(const int64_t time, parse_time(text.substr(1), now_ms, which));
    return Place{Place::Kind::timestamp, time};
  }
  const bool relative = text.starts_with('+') || text.starts_with('-');
  const auto digits = relative ? text.substr(1) : text;
  const auto number = all_digits(digits) ? parse_integer(digits) : std::nullopt;
  if (!number) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is not a place in a log: write start, end, N, +N, -N or @TIME", text));
  }
  const auto kind = !relative             ? Place::Kind::offset
                    : text.front() == '+' ? Place::Kind::after_start
                                          : Place::Kind::before_end;
  return Place{kind, *number};
}

}  // namespace

Result<int64_t> parse_time(std::string_view text, int64_t now_ms, Ambiguous which) {
  if (all_digits(text) && text.size() <= 11) return *parse_integer(text) * 1000;
  if (all_digits(text) && text.size() == 13) return *parse_integer(text);
  if (text.starts_with('-')) {
    const auto ago = parse_duration(text.substr(1));
    if (ago) return now_ms - std::chrono::duration_cast<std::chrono::milliseconds>(*ago).count();
  }
  if (const auto time = parse_civil(text, which)) return *time;
  return fail(
      Errc::invalid_argument,
      fmt::format("'{}' is not a time: write 2026-11-23T05:28:20Z, seconds or milliseconds since the epoch, or -6h",
                  text));
}

Result<PlaceRange> parse_place_range(std::string_view text, int64_t now_ms) {
  if (const auto whole = parse_place(text, now_ms, Ambiguous::earlier)) return PlaceRange{*whole, {}};
  // Times contain colons too, so every colon is tried as the one that divides.
  for (auto colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    const auto left = text.substr(0, colon), right = text.substr(colon + 1);
    if (left.empty() && right.empty()) break;
    PlaceRange range;
    if (!left.empty()) {
      const auto from = parse_place(left, now_ms, Ambiguous::earlier);
      if (!from) continue;
      range.from = *from;
    }
    if (!right.empty()) {
      // "@T1:T2" needs no second "@".
      auto to = parse_place(right, now_ms, Ambiguous::later);
      if (range.from.kind == Place::Kind::timestamp && !right.starts_with('@') && right != "end") {
        to = parse_place(fmt::format("@{}", right), now_ms, Ambiguous::later);
      }
      if (!to) continue;
      range.to = *to;
    }
    const int64_t direction = range.from.kind == Place::Kind::before_end ? -1 : 1;
    if (range.to && range.to->kind == range.from.kind && (range.to->value - range.from.value) * direction < 0) {
      return fail(Errc::invalid_argument, fmt::format("the range '{}' ends before it begins", text));
    }
    return range;
  }
  auto error = parse_place(text, now_ms, Ambiguous::earlier).error();
  error.what += ", or a range A:B";
  return tl::unexpected(std::move(error));
}

Result<Place> parse_one_place(std::string_view text, int64_t now_ms) {
  const auto range = parse_place_range(text, now_ms);
  if (range && range->to) return fail(Errc::invalid_argument, "one place is wanted and no range");
  return parse_place(text, now_ms, Ambiguous::earlier);
}

}  // namespace pg
