#include "tools/pg-cluster/restart_delay.h"

#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("restart_delay: it doubles up to thirty seconds while brokers die soon") {
  RestartDelay delay;
  for (const Duration expected :
       {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    CHECK(delay.after(500ms, false).count() == expected.count());
  }
}

TEST_CASE("restart_delay: after a life of a second it is short again, however long it was before") {
  RestartDelay delay;
  CHECK(delay.after(5s, false) == 100ms);
  CHECK(delay.after(1s, false) == 100ms);
  for (int i = 0; i < 20; ++i) delay.after(0s, false);
  CHECK(delay.after(999ms, false) == 30s);
  CHECK(delay.after(1s, false) == 100ms);
  CHECK(delay.after(999ms, false) == 200ms);
}

TEST_CASE("restart_delay: one that is killed is back soon, however short it lived") {
  RestartDelay delay;
  for (int i = 0; i < 20; ++i) CHECK(delay.after(1ms, true) == 100ms);
  CHECK(delay.after(1ms, false) == 200ms);
}
