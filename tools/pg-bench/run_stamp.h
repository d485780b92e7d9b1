// A header of records that tells their reader when they were due, and which run they belong to.
#pragma once

#include <array>
#include <cstring>
#include <optional>

#include "core/format/record_batch.h"

namespace pg {

// Two times of the monotonic clock, which all processes of the machine share: the start of the run, by which it is
// known, and the record's own. In this machine's byte order: nobody else can read them anyway.
class RunStamp {
 public:
  static constexpr std::string_view kName = "pg-bench";

  explicit RunStamp(Deadline run) { set(0, run); }
  void set_due(Deadline due) { set(1, due); }
  void set_end() { set(1, kNoDeadline); }  // the sender has no more for this partition
  // Valid as long as this lives, and changes with it.
  Header header() const {
    return {kName, std::string_view(reinterpret_cast<const char*>(times_.data()), sizeof times_)};
  }

  // What the header of a record of this run says.
  struct Seen {
    Deadline due;
    bool is_end() const { return due == kNoDeadline; }
  };
  // Empty: the record belongs to another run.
  static std::optional<Seen> find(const RecordView& record, Deadline run) {
    for (const Header& header : record.headers()) {
      std::array<int64_t, 2> times;
      if (header.name != kName || !header.value || header.value->size() != sizeof times) continue;
      std::memcpy(times.data(), header.value->data(), sizeof times);
      if (times[0] == run.time_since_epoch().count()) return Seen{Deadline(Duration(times[1]))};
    }
    return std::nullopt;
  }

 private:
  void set(size_t i, Deadline time) { times_[i] = time.time_since_epoch().count(); }
  std::array<int64_t, 2> times_{};
};

}  // namespace pg
