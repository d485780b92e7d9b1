// What a client knows of a home from the answers that it got, and what follows from that for what is found there later.
//
// Before a change the history is told what is tried, afterwards what was acknowledged. What was tried and not
// acknowledged may have happened or not. `Loss::none`: the files were found by a process of the same boot, and whatever
// was written is there. `Loss::power`: after a power cut, what was flushed is there, and perhaps more.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/store/topic_config.h"

namespace pg::crash {

enum class Loss { none, power };

// The promise that was broken.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Entry {
  std::optional<std::string> key, value;  // the values of a test are all different; none: a tombstone
  bool operator==(const Entry&) const = default;
};

// What readers see of a partition.
struct Contents {
  Offset start, end;
  std::map<int64_t, Entry> records;
};

class LogHistory {
 public:
  void trying(const std::vector<Entry>& entries);
  void wrote(Offset base, const std::vector<Entry>& entries);
  void flushed(Offset end);
  void deleting_below(Offset end) { start_max_ = std::max(start_max_, end); }
  void deleted_below(Offset end);
  void compacting() { compacted_ = true; }
  void damaging(Offset offset);
  void repaired() { is_damaged_ = false; }
  // What was not flushed may be gone, from the middle too: its offsets are not given again.
  void losing_unflushed();
  bool is_damaged() const { return is_damaged_; }
  Offset end() const { return end_; }

  // Throws Violation where `found` breaks a promise; from then on it is what the log holds.
  void check(const Contents& found, Loss loss);

 private:
  bool may_be_missing(int64_t offset, const Entry& entry, const Contents& found) const;
  void check_bounds(const Contents& found, Offset kept) const;
  void check_found(const Contents& found) const;
  void check_missing(const Contents& found, Offset kept) const;

  std::set<std::string> tried_;             // values
  std::set<std::string> tried_tombstones_;  // keys
  std::map<int64_t, Entry> written_;        // acknowledged, or found
  Offset end_, flushed_;
  Offset start_, start_max_;  // acknowledged, and tried
  bool compacted_ = false;
  bool is_damaged_ = false;
  bool may_have_holes_ = false;  // what was under way when unflushed records were lost
  std::set<int64_t> damaged_;
};

// A value that a change replaces: one of the two while nobody has said which.
template <class T>
struct Changing {
  T now;
  std::optional<T> next = {};

  void trying(T value) { next = std::move(value); }
  void done() {
    if (next) now = std::move(*std::exchange(next, {}));
  }
  bool may_be(const T& value) const { return value == now || value == next; }
  void settle(const T& value) { *this = {value}; }
};

struct TopicHistory {
  Changing<bool> exists{false};
  Changing<ConfigMap> config{};
  Changing<int32_t> partitions{0};
  std::map<int32_t, LogHistory> logs;
};

struct History {
  std::map<std::string, TopicHistory> topics;
  int64_t values = 0;            // how many were made up so far
  int32_t input_lines = 0;       // of the producer with a name: how many it has sent and not been told are there, too
  int32_t input_lines_done = 0;  // and was told are on stable storage
};

}  // namespace pg::crash
