// Where in a log: the grammar of -o, and points in time.
//
//   start  end  N  +N (N after the start)  -N (N before the end)  @TIME         from there to the end
//   A:B  :B  A:                                                                 from A (or the start) to below B
//
// TIME: 2026-11-23T05:28:20Z or with +01:00; without a zone it is local time, as date(1) prints it; a date alone is its
// midnight; up to 11 digits are seconds, 13 digits milliseconds since the epoch; -6h is six hours ago. A clock that is
// put back shows a local time twice. At the beginning of a range it then is the earlier one, at the end the later one,
// so that no record is left out that may be meant. The same holds for a local time that is skipped.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "tools/common/api.h"

namespace pg {

struct PlaceRange {
  Place from;
  std::optional<Place> to;
};

Result<PlaceRange> parse_place_range(std::string_view text, int64_t now_ms);
// The same where no range is wanted.
Result<Place> parse_one_place(std::string_view text, int64_t now_ms);
// Which of two instants a local time is if it can be both.
enum class Ambiguous { earlier, later };
Result<int64_t> parse_time(std::string_view text, int64_t now_ms, Ambiguous which = Ambiguous::earlier);

}  // namespace pg
