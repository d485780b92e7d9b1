#include "tools/pg-cluster/restart_delay.h"

#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("restart_delay: it doubles up to thirty seconds while brokers die soon") {
  RestartDelay delay;
  for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    CHECK(delay.after(500ms).count() == expected.count());
  }
}

TEST_CASE("restart_delay: after a life of ten times the last pause it is short again") {
  RestartDelay delay;
  CHECK(delay.after(0s) == 100ms);
  CHECK(delay.after(999ms) == 200ms);
  CHECK(delay.after(1999ms) == 400ms);
  CHECK(delay.after(4s) == 100ms);
  CHECK(delay.after(1s) == 100ms);
  CHECK(delay.after(1s) == 100ms);
}
