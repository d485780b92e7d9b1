// What file_system.h promises of lock files, held against the kernel's locks and those in memory.
#include <atomic>
#include <thread>

#include "core/os/file_system.h"
#include "tests/support/printing.h"
#include "tests/support/test_env.h"

using namespace pg;
using namespace std::chrono_literals;

namespace {

struct Locks {
  explicit Locks(Machine machine) : env(machine), path(env.root() + "/locks"), a(open()), b(open()) {}

  std::unique_ptr<LockFile> open(Access access = Access::read_write) { return must(env.files.open_lock(path, access)); }
  Deadline in(Duration d) { return env.clock().after(d); }

  TestEnv env;
  std::string path;
  std::unique_ptr<LockFile> a, b;  // two who exclude each other, as two processes do
};

template <class Body>
void on_every_machine(Body body) {
  for (const Machine machine : kEveryMachine) {
    CAPTURE(machine == Machine::disk);
    Locks locks(machine);
    body(locks);
  }
}

constexpr auto kShared = LockMode::shared;
constexpr auto kExclusive = LockMode::exclusive;

}  // namespace

TEST_CASE("lock_file: exclusive excludes all, shared excludes exclusive, and bytes are separate locks") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(0, kExclusive)));
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    CHECK_FALSE(must(l.b->try_lock(0, kShared)));
    CHECK(must(l.b->try_lock(1, kExclusive)));
    CHECK_FALSE(must(l.a->try_lock(1, kShared)));
    l.a->unlock(0);
    CHECK(must(l.b->try_lock(0, kShared)));
    CHECK(must(l.a->try_lock(0, kShared)));
    CHECK_FALSE(must(l.a->try_lock(0, kExclusive)));
    l.b->unlock(0);
    CHECK(must(l.a->try_lock(0, kExclusive)));  // converted
    CHECK_FALSE(must(l.b->try_lock(0, kShared)));
  });
}

TEST_CASE("lock_file: closing releases, and closing another handle does not") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(0, kExclusive)));
    l.open().reset();  // a POSIX record lock would be gone now
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    l.a.reset();
    CHECK(must(l.b->try_lock(0, kExclusive)));
  });
}

TEST_CASE("lock_file: a downgrade lets sharers in and keeps the lock") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(0, kExclusive)));
    must(l.a->downgrade(0));
    CHECK(must(l.b->try_lock(0, kShared)));
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    l.b->unlock(0);
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    l.a->unlock(0);
    CHECK(must(l.b->try_lock(0, kExclusive)));
  });
}

TEST_CASE("lock_file: a failed conversion keeps the shared lock") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(0, kShared)));
    CHECK(must(l.b->try_lock(0, kShared)));
    CHECK(code_of(l.a->lock(0, kExclusive, l.in(60ms))) == Errc::timed_out);
    l.b->unlock(0);
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    must(l.a->lock(0, kExclusive, l.in(1s)));
  });
}

TEST_CASE("lock_file: waiting ends at the deadline") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(3, kExclusive)));
    const auto before = l.env.clock().now();
    const Error error = error_of(l.b->lock(3, kExclusive, l.in(120ms)));
    const auto waited = l.env.clock().now() - before;
    CHECK(error.code == Errc::timed_out);
    CHECK(error.path == l.path);
    CHECK(waited >= 120ms);
    CHECK(waited < 5s);
    CHECK(code_of(l.b->lock(3, kShared, l.in(0ms))) == Errc::timed_out);
    l.a->unlock(3);
    must(l.b->lock(3, kExclusive, l.in(0ms)));  // what is free needs no time
  });
}

TEST_CASE("lock_file: a waiter gets the lock when it is released") {
  Locks l(Machine::disk);
  CHECK(must(l.a->try_lock(0, kExclusive)));
  std::atomic<bool> got = false;
  std::thread waiter([&] {
    must(l.b->lock(0, kExclusive, l.in(20s)));
    got = true;
  });
  std::this_thread::sleep_for(30ms);
  CHECK_FALSE(got);
  l.a->unlock(0);
  waiter.join();
  CHECK(got);
}

TEST_CASE("lock_file: threads that share one handle exclude each other") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->try_lock(0, kExclusive)));
    std::thread([&] {
      if (must(l.a->try_lock(0, kExclusive))) throw std::logic_error("two holders");
      if (code_of(l.a->lock(0, kExclusive, l.in(60ms))) != Errc::timed_out) throw std::logic_error("two holders");
    }).join();
    l.a->unlock(0);
    std::thread([&] { must(l.a->lock(0, kExclusive, l.in(1s))); }).join();
    CHECK_FALSE(must(l.a->try_lock(0, kExclusive)));  // a lock belongs to the handle, not to the thread
    CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
  });
}

TEST_CASE("lock_file: many threads over two handles never hold it together") {
  // The lock guards a plain counter: a lost update shows, and so does TSan's opinion, as far as threads share a handle.
  on_every_machine([](Locks& l) {
    std::atomic<int> inside = 0, overlaps = 0;
    int counted = 0;
    std::vector<std::thread> threads;
    constexpr int kThreads = 4, kRounds = 50;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        LockFile& mine = t % 2 == 0 ? *l.a : *l.b;
        for (int i = 0; i < kRounds; ++i) {
          const HeldLock lock = must(HeldLock::acquire(mine, 0, kExclusive, l.in(std::chrono::hours(1))));
          if (inside.fetch_add(1) != 0) overlaps.fetch_add(1);
          ++counted;
          inside.fetch_sub(1);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(overlaps == 0);
    CHECK(counted == kThreads * kRounds);
  });
}

TEST_CASE("lock_file: HeldLock releases when it goes, and moves") {
  on_every_machine([](Locks& l) {
    {
      HeldLock held = must(HeldLock::acquire(*l.a, 0, kExclusive, l.in(1s)));
      HeldLock moved = std::move(held);
      CHECK(held.file() == nullptr);
      CHECK(moved.file() == l.a.get());
      CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
      HeldLock other = must(HeldLock::acquire(*l.a, 1, kExclusive, l.in(1s)));
      other = std::move(moved);
      CHECK_FALSE(must(l.b->try_lock(0, kExclusive)));
    }
    CHECK(must(l.b->try_lock(0, kExclusive)));
    CHECK(must(l.b->try_lock(1, kExclusive)));
  });
}

TEST_CASE("lock_file: a handle for reading shares, and cannot exclude") {
  on_every_machine([](Locks& l) {
    CHECK(code_of(l.env.files.open_lock(l.env.root() + "/none", Access::read_only)) == Errc::not_found);
    const auto reader = l.open(Access::read_only);
    CHECK(must(reader->try_lock(0, kShared)));
    CHECK_FALSE(must(l.a->try_lock(0, kExclusive)));
    CHECK(code_of(reader->try_lock(1, kExclusive)) == Errc::io);
  });
}

TEST_CASE("lock_file: an unlinked lock file is a ghost") {
  on_every_machine([](Locks& l) {
    CHECK(must(l.a->info()).links == 1);
    must(l.env.files.unlink(l.path));
    CHECK(must(l.a->info()).links == 0);
    const auto reborn = l.open();
    CHECK(must(l.a->try_lock(0, kExclusive)));
    CHECK(must(reborn->try_lock(0, kExclusive)));  // another file, other locks
  });
}
