#include "core/local/offset_place.h"

#include <algorithm>

#include "core/log/log_reader.h"

namespace pg {

Result<Offset> resolve_place(PartitionLog& log, const Place& place, Offset log_start, Offset end, bool skip_damage) {
  switch (place.kind) {
    case Place::Kind::start:
      return log_start;
    case Place::Kind::end:
      return end;
    case Place::Kind::after_start:
      return log_start + std::min(place.value, end - log_start);
    case Place::Kind::before_end:
      return std::max(log_start, end + -place.value);
    case Place::Kind::timestamp:
      return find_offset_by_time(log, place.value, log_start, end, skip_damage);
    case Place::Kind::offset:
      return Offset(place.value);
  }
  return log_start;
}

}  // namespace pg
