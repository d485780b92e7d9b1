#include "tools/pg-consume/offset_tracker.h"

#include <map>
#include <vector>

#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;

namespace {

// What is promised, the slow way: every record that was ever delivered, and whether it is finished.
struct Model {
  std::map<Offset, std::pair<LeaderEpoch, bool>> records;

  std::optional<OffsetTracker::Committable> committable() const {
    std::optional<OffsetTracker::Committable> done;
    for (const auto& [offset, record] : records) {
      if (!record.second) {
        if (done) done->offset = offset;
        return done;
      }
      done = OffsetTracker::Committable{offset + 1, record.first};
    }
    return done;
  }
};

}  // namespace

TEST_CASE("offset_tracker: nothing is committable before the first record is finished") {
  OffsetTracker tracker;
  CHECK_FALSE(tracker.committable());
  CHECK(tracker.all_finished());
  tracker.deliver(Offset(5), LeaderEpoch(1));
  tracker.deliver(Offset(6), LeaderEpoch(1));
  tracker.finish(Offset(6));
  CHECK_FALSE(tracker.committable());
  CHECK_FALSE(tracker.all_finished());
}

TEST_CASE("offset_tracker: the lowest unfinished offset, else the end behind the last one") {
  OffsetTracker tracker;
  for (const int64_t offset : {5, 6, 9}) tracker.deliver(Offset(offset), LeaderEpoch(static_cast<int32_t>(offset)));
  tracker.finish(Offset(5));
  CHECK(tracker.committable() == OffsetTracker::Committable{Offset(6), LeaderEpoch(5)});
  tracker.finish(Offset(6));
  CHECK(tracker.committable() == OffsetTracker::Committable{Offset(9), LeaderEpoch(6)});  // 7 and 8 are no records
  tracker.finish(Offset(9));
  CHECK(tracker.committable() == OffsetTracker::Committable{Offset(10), LeaderEpoch(9)});
  CHECK(tracker.all_finished());
}

TEST_CASE("offset_tracker: agrees with a model, whatever the order") {
  SeededRandom random;
  for (int run = 0; run < 200; ++run) {
    OffsetTracker tracker;
    Model model;
    std::vector<Offset> open;
    Offset next(static_cast<int64_t>(random.below(5)));
    for (int step = 0; step < 200; ++step) {
      if (open.empty() || random.one_in(2)) {
        const LeaderEpoch epoch(static_cast<int32_t>(step / 50));
        tracker.deliver(next, epoch);
        model.records[next] = {epoch, false};
        open.push_back(next);
        next = next + 1 + static_cast<int64_t>(random.one_in(4) ? random.below(10) : 0);
      } else {
        const auto chosen = open.begin() + static_cast<std::ptrdiff_t>(random.below(open.size()));
        tracker.finish(*chosen);
        model.records[*chosen].second = true;
        open.erase(chosen);
      }
      REQUIRE(tracker.committable() == model.committable());
      REQUIRE(tracker.all_finished() == open.empty());
    }
  }
}
