#include <unistd.h>

#include "core/os/env.h"
#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("posix_env: the boot id is there and stays") {
  const Env env = posix_env();
  const Uuid id = must(env.boot_id());
  CHECK(id != Uuid{});
  CHECK(must(posix_env().boot_id()) == id);
}

TEST_CASE("posix_env: the process knows itself") {
  const ProcessInfo process = posix_env().process();
  CHECK(process.pid == getpid());
  CHECK(process.pid_namespace != 0);
}

TEST_CASE("posix_env: clock and randomness move") {
  const Env env = posix_env();
  CHECK(env.clock.wall_ms() > 1'700'000'000'000);
  const Deadline before = env.clock.now();
  CHECK((env.clock.now() >= before));
  CHECK(env.random.next() != env.random.next());
  env.notice("nobody listens by default");
}
