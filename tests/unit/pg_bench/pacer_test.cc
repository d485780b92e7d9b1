#include "tools/pg-bench/pacer.h"

#include "core/os/env.h"
#include "tests/support/manual_clock.h"
#include "tests/support/printing.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("pacer: each record has its time, whenever it is asked for, and processes take turns") {
  ManualClock clock;
  const Deadline start = clock.now() + 1s;
  Pacer first(clock, start, 1000, 0, 2), second(clock, start, 1000, 1, 2);
  CHECK(first.due(0) == start);
  CHECK(second.due(0) == start + 1ms);
  CHECK(first.due(1) == start + 2ms);
  clock.advance(1h);  // late: what was due is due as before
  CHECK(second.due(499) == start + 999ms);
}

TEST_CASE("pacer: it does not return too early, and at once where the time has passed") {
  Clock& real = posix_env().clock;
  Pacer pacer(real, real.now(), 1000, 0, 1);
  pacer.wait_until(pacer.due(3));
  CHECK(real.now() >= pacer.due(3));
  ManualClock still;
  Pacer(still, still.now(), 10, 0, 1).wait_until(still.now() - 1s);
  CHECK(still.now() == ManualClock().now());
}

TEST_CASE("pacer: without a rate a record is due when it is asked for") {
  ManualClock clock;
  Pacer pacer(clock, clock.now(), 0, 0, 1);
  CHECK(!pacer.is_paced());
  clock.advance(5s);
  CHECK(pacer.due(0) == clock.now());
}
