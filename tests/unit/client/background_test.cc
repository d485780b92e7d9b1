#include "core/local/background.h"

#include <atomic>

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

TEST_CASE("background: what was begun is waited for, and its outcome told once") {
  Background background;
  CHECK(background.wait());  // nothing was begun
  std::atomic<int> done = 0;
  for (int i = 1; i <= 100; ++i) {
    background.begin([&]() -> Result<> {
      ++done;
      return i % 2 == 0 ? Result<>() : fail(Errc::io, std::to_string(i));
    });
    const auto outcome = background.wait();
    CHECK(done == i);
    CHECK(outcome.has_value() == (i % 2 == 0));
    if (!outcome) CHECK(outcome.error().what == std::to_string(i));
    CHECK(background.wait());
  }
}

TEST_CASE("background: its end waits for what was begun") {
  std::atomic<bool> done = false;
  {
    Background background;
    background.begin([&]() -> Result<> {
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      done = true;
      return {};
    });
  }
  CHECK(done);
}
