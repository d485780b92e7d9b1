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
  for (const int64_t start : {11, 15, 40}) CHECK(fate({entry(0, 0), entry(3, 5), entry(4, 30)}, start, 40) == BatchFate::there);
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
