#include "core/os/clock.h"

#include <thread>

#include "core/os/env.h"
#include "tests/support/manual_clock.h"
#include "tests/support/printing.h"
#include "tests/support/seeded_random.h"

using namespace pg;
using namespace std::chrono_literals;

TEST_CASE("clock: after() does not overflow") {
  ManualClock clock;
  CHECK(clock.after(5s) == clock.now() + 5s);
  CHECK(clock.after(Duration::max()) == kNoDeadline);
  CHECK(posix_env().clock.after(Duration::max()) == kNoDeadline);
}

TEST_CASE("clock: nothing is left of a deadline that has passed, however long ago") {
  const Deadline now(std::chrono::hours(1));
  CHECK(time_left(Deadline::min(), now) == Duration(0));
  CHECK(time_left(now, now) == Duration(0));
  CHECK(time_left(now + std::chrono::seconds(2), now) == std::chrono::seconds(2));
  CHECK(time_left(kNoDeadline, now) > std::chrono::hours(24));
}

TEST_CASE("clock: a uuid is of version 4 and never begins with '-'") {
  SeededRandom random;
  for (int i = 0; i < 2000; ++i) {
    const Uuid id = random.uuid();
    REQUIRE((id[6] & 0xf0) == 0x40);
    REQUIRE((id[8] & 0xc0) == 0x80);
    REQUIRE(uuid_text(id).front() != '-');
  }
}

TEST_CASE("clock: a wait without words is a sleep, and one for a word that has moved is none") {
  Clock& clock = posix_env().clock;
  const auto before = clock.now();
  clock.wait({}, 20ms);
  CHECK(clock.now() - before >= 20ms);
  const std::atomic<uint32_t> word = 1;
  const WakeWord words[] = {{&word, 0}, {&word, 1}};
  const auto began = clock.now();
  clock.wait({words, 1}, 10s);
  clock.wait({words, 2}, 10s);
  clock.wait({words, 2}, 0s);
  clock.wait({words, 2}, -1s);
  CHECK(clock.now() - began < 5s);
}

TEST_CASE("clock: a waiter is woken by any of its words") {
  Clock& clock = posix_env().clock;
  for (const size_t count : {size_t{1}, size_t{2}, size_t{200}}) {  // 200: more than the kernel takes at once
    CAPTURE(count);
    std::vector<std::atomic<uint32_t>> words(count);
    std::vector<WakeWord> waited;
    for (const auto& word : words) waited.push_back({&word, 0});
    std::thread waker([&] {
      std::this_thread::sleep_for(20ms);
      words.back() = 1;
      clock.wake(words.back());
    });
    const auto began = clock.now();
    while (words.back() == 0) clock.wait(waited, 10s);
    CHECK(clock.now() - began < 5s);
    waker.join();
  }
}

TEST_CASE("clock: the manual one stands until it is moved or waited for") {
  ManualClock clock;
  clock.set_wall_ms(42);
  const auto began = clock.now();
  CHECK(clock.now() == began);
  clock.wait({}, 3s);
  CHECK(clock.now() - began == 3s);
  CHECK(clock.wall_ms() == 42);
}
