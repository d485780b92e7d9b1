#include "core/os/signals.h"

#include <pthread.h>

#include "tests/support/printing.h"

using namespace pg;

namespace {

bool is_blocked(int signal) {
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, nullptr, &set);
  return sigismember(&set, signal) == 1;
}

}  // namespace

TEST_CASE("signals: job control is held off while an append runs, and only then") {
  const bool before = is_blocked(SIGTTOU);
  {
    const NoJobStop outer;
    {
      const NoJobStop inner;
      CHECK(is_blocked(SIGTSTP));
    }
    CHECK(is_blocked(SIGTSTP));
    CHECK(is_blocked(SIGTTIN));
    CHECK(is_blocked(SIGTTOU));
    CHECK_FALSE(is_blocked(SIGINT));
  }
  CHECK(is_blocked(SIGTTOU) == before);
  CHECK_FALSE(is_blocked(SIGTSTP));
}

TEST_CASE("signals: nothing is caught before it is asked for") {
  CHECK(stop_signal() == 0);
  CHECK(stop_descriptor() == -1);
}
