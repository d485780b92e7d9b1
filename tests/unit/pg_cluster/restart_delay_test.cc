#include "tools/pg-cluster/restart_delay.h"

#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("restart_delay: it doubles up to thirty seconds while brokers die soon") {
  RestartDelay delay;
  for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    CHECK(delay.after(59s).count() == expected.count());
  }
}

TEST_CASE("restart_delay: one that has run for a minute is started at once, and the count begins anew") {
  RestartDelay delay;
  for (int i = 0; i < 5; ++i) delay.after(0s);
  CHECK(delay.after(60s) == 0s);
  CHECK(delay.after(1s) == 100ms);
  CHECK(delay.after(1s) == 200ms);
  CHECK(delay.after(1h) == 0s);
}
