#include "core/format/batch_fate.h"

#include <doctest/doctest.h>

using namespace pg;

namespace {

constexpr EpochStart entry(int32_t epoch, int64_t start) { return {LeaderEpoch(epoch), Offset(start)}; }

// Of the batch with offsets 10 to 14 that the leader of epoch 3 has written.
BatchFate fate(const EpochHistory& log, int64_t log_start, int64_t log_end) {
  return fate_of({LeaderEpoch(3), Offset(10), Offset(15)}, log, Offset(log_start), Offset(log_end));
}

}  // namespace

TEST_CASE("batch_fate: a batch is there if the log left its epoch behind it") {
  CHECK(fate({entry(0, 0), entry(3, 5)}, 0, 15) == BatchFate::there);
  CHECK(fate({entry(0, 0), entry(3, 5)}, 0, 14) == BatchFate::missing);
  CHECK(fate({entry(0, 0), entry(3, 10), entry(4, 15)}, 0, 20) == BatchFate::there);
  CHECK(fate({entry(0, 0), entry(3, 5), entry(4, 14)}, 0, 20) == BatchFate::missing);
  CHECK(fate({entry(0, 0), entry(3, 5), entry(4, 10)}, 0, 20) == BatchFate::missing);
}

TEST_CASE("batch_fate: what was deleted was committed") {
  for (const int64_t start : {11, 15, 40})
    CHECK(fate({entry(0, 0), entry(3, 5), entry(4, 30)}, start, 40) == BatchFate::there);
  CHECK(fate({entry(0, 0), entry(3, 5), entry(4, 8)}, 40, 40) == BatchFate::missing);
}

TEST_CASE("batch_fate: a log that never had the epoch does not have the batch") {
  CHECK(fate({entry(0, 0), entry(4, 7)}, 0, 20) == BatchFate::missing);
  CHECK(fate({entry(0, 0), entry(4, 15)}, 0, 20) == BatchFate::missing);
  CHECK(fate({entry(0, 0), entry(2, 7)}, 0, 20) == BatchFate::missing);
  CHECK(fate({}, 0, 20) == BatchFate::missing);
}

TEST_CASE("batch_fate: a log that begins behind the batch and with a later epoch does not say") {
  CHECK(fate({entry(4, 15)}, 15, 20) == BatchFate::unknown);
  CHECK(fate({entry(4, 18)}, 18, 20) == BatchFate::unknown);
  CHECK(fate({entry(4, 14)}, 14, 20) == BatchFate::missing);  // another leader's record stands where its last one was
  CHECK(fate({entry(4, 15)}, 10, 20) == BatchFate::missing);  // it would hold the batch
}

TEST_CASE("batch_fate: a batch that was sent again is where a log still has it, be it an earlier place") {
  const WrittenBatch first{LeaderEpoch(0), Offset(32), Offset(33)}, second{LeaderEpoch(2), Offset(33), Offset(34)};
  const std::vector<WrittenBatch> places{first, second};
  const auto found = [&](const EpochHistory& log, int64_t log_end) {
    return find_batch(places, log, Offset(0), Offset(log_end));
  };
  CHECK(found({entry(0, 0), entry(2, 31)}, 34).place.base == Offset(33));
  // An unclean election brings back a log from before it was sent again.
  CHECK(found({entry(0, 0), entry(3, 33)}, 33).fate == BatchFate::there);
  CHECK(found({entry(0, 0), entry(3, 33)}, 33).place.base == Offset(32));
  CHECK(found({entry(0, 0), entry(3, 32)}, 40).fate == BatchFate::missing);
  CHECK(find_batch({}, {entry(0, 0)}, Offset(0), Offset(40)).fate == BatchFate::missing);
}
