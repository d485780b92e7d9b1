// Signals interrupt system calls, and the kernel may read and write less than it was asked to: nobody notices.
#include "tests/crash/interrupted_calls.h"
#include "tests/crash/workload.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

namespace pg::crash {

TEST_CASE("interrupt: every other call is interrupted, every transfer comes short, and nobody notices") {
  TestEnv env(pg::Machine::disk);
  History history;
  const InterruptedCalls calls;
  Client client(env.env(), env.root() + "/home", history);
  for (const Step& step : workload()) need(step.name, step.run(client));
  client.check(Loss::none);
  client.check_goes_on();
  client.check_no_leftovers();
  CHECK(calls.counts().open > 0);
  CHECK(calls.counts().pread > 0);
  CHECK(calls.counts().pwrite > 0);
  CHECK(calls.counts().ftruncate > 0);
  CHECK(calls.counts().fsync > 0);
  CHECK(calls.counts().fdatasync > 0);
  CHECK(calls.counts().statfs > 0);
}

}  // namespace pg::crash
