#include "core/format/epoch_trail.h"

#include <vector>

#include "tests/support/printing.h"

using namespace pg;

namespace {

using Parts = std::vector<std::pair<int32_t, int64_t>>;  // epoch, first offset

EpochHistory history_of(const Parts& parts) {
  EpochHistory history;
  for (const auto& [epoch, start] : parts) history.push_back({LeaderEpoch(epoch), Offset(start)});
  return history;
}

struct Row {
  const char* what;
  Parts read;
  int64_t next;
  Parts log;
  int64_t log_end;
  int64_t shared;
};

const std::vector<Row> kRows = {
    {"the same leader", {{0, 0}}, 80, {{0, 0}}, 80, 80},
    {"a new leader that has it all", {{0, 0}}, 80, {{0, 0}, {1, 80}}, 90, 80},
    {"a new leader that has more of the old epoch", {{0, 0}}, 80, {{0, 0}, {1, 85}}, 90, 80},
    {"a new leader that lacks the end", {{0, 0}}, 80, {{0, 0}, {1, 30}}, 110, 30},
    {"the same, and nothing new yet", {{0, 0}}, 80, {{0, 0}, {1, 30}}, 30, 30},
    {"two epochs, of which the log lacks the end of the last",
     {{0, 0}, {1, 20}},
     80,
     {{0, 0}, {1, 20}, {2, 50}},
     90,
     50},
    {"two epochs, of which the log lacks the last and the end of the first",
     {{0, 0}, {1, 40}},
     80,
     {{0, 0}, {2, 30}},
     90,
     30},
    {"an epoch that the log never had, where that goes on in the one before",
     {{0, 0}, {1, 30}},
     80,
     {{0, 0}, {2, 50}},
     90,
     30},
    {"only an epoch that the log never had", {{1, 40}}, 80, {{0, 0}, {2, 50}}, 90, 40},
    {"the reader began below where that epoch did", {{1, 40}}, 80, {{0, 0}, {2, 35}}, 90, 35},
    {"a log that begins later", {{0, 10}}, 20, {{3, 30}}, 90, 20},
    {"a log that begins later, below the reader", {{0, 10}}, 35, {{3, 30}}, 90, 30},
    {"a log that was emptied", {{0, 0}}, 80, {{2, 0}}, 0, 0},
    {"the log ends below, and does not say why", {{0, 0}}, 80, {{0, 0}}, 30, 30},
    {"a log that says nothing", {{0, 0}}, 80, {}, 30, 80},
};

}  // namespace

TEST_CASE("epoch_trail: a reader shares with a log what both have of the epochs that it has read") {
  for (const Row& row : kRows) {
    CAPTURE(row.what);
    EpochTrail trail(LeaderEpoch(7));  // of no account once something was read
    for (const auto& [epoch, first] : row.read) trail.read(LeaderEpoch(epoch), Offset(first));
    CHECK(trail.shared_end(history_of(row.log), Offset(row.log_end), Offset(row.next)) == Offset(row.shared));
  }
}

TEST_CASE("epoch_trail: before anything is read, the epoch of the log counts where the reader began") {
  const EpochTrail trail(LeaderEpoch(3));
  // Epoch 3 may never have had a record.
  CHECK(trail.shared_end(history_of({{0, 0}, {4, 80}}), Offset(90), Offset(80)) == Offset(80));
  CHECK(trail.shared_end(history_of({{0, 0}, {4, 30}}), Offset(90), Offset(80)) == Offset(30));
  CHECK(EpochTrail().shared_end(history_of({{0, 0}, {4, 30}}), Offset(90), Offset(80)) == Offset(80));
}

TEST_CASE("epoch_trail: each epoch's part begins with the first batch that was read of it") {
  EpochTrail trail(LeaderEpoch(2));
  CHECK(trail.epoch() == LeaderEpoch(2));
  trail.read(LeaderEpoch(1), Offset(10));
  trail.read(LeaderEpoch(1), Offset(20));
  CHECK(trail.epoch() == LeaderEpoch(1));
  trail.read(LeaderEpoch(2), Offset(30));
  CHECK(trail.epoch() == LeaderEpoch(2));
  // What was read of epoch 1 goes on to 30.
  CHECK(trail.shared_end(history_of({{0, 0}, {1, 5}, {3, 25}}), Offset(90), Offset(40)) == Offset(25));
}

TEST_CASE("epoch_trail: a reader that went back knows what it has read before that") {
  EpochTrail trail(LeaderEpoch(0));
  trail.read(LeaderEpoch(0), Offset(10));
  trail.read(LeaderEpoch(1), Offset(30));
  trail.cut(Offset(20), LeaderEpoch(4));
  CHECK(trail.epoch() == LeaderEpoch(0));
  trail.read(LeaderEpoch(4), Offset(20));
  CHECK(trail.shared_end(history_of({{0, 0}, {4, 20}, {5, 60}}), Offset(90), Offset(70)) == Offset(60));
  trail.cut(Offset(5), LeaderEpoch(6));
  CHECK(trail.epoch() == LeaderEpoch(6));
}

TEST_CASE("end_of_epoch: where the log has left it, as far as it goes") {
  const EpochHistory history = history_of({{0, 0}, {2, 30}});
  CHECK(end_of_epoch(history, LeaderEpoch(0), Offset(90)) == Offset(30));
  CHECK(end_of_epoch(history, LeaderEpoch(1), Offset(90)) == Offset(30));
  CHECK(end_of_epoch(history, LeaderEpoch(2), Offset(90)) == Offset(90));
  CHECK(end_of_epoch(history, LeaderEpoch(0), Offset(20)) == Offset(20));
}
