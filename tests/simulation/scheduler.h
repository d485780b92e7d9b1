// Runs the actors of a simulation one at a time, in virtual time, in an order that the seed decides. An actor is a
// fiber: it goes on until it gives way, and so can be interrupted in the middle of real code. Fibers belong to
// processes, which are frozen or killed as a whole, wherever their fibers stand.
#pragma once

#include <boost/context/fiber.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "tests/simulation/step.h"
#include "tests/support/seeded_random.h"

namespace pg::sim {

class Process;

// How often an actor gives way, in places that it passes, and for how long.
struct Pace {
  uint64_t steps = 10;
  Duration pause = std::chrono::microseconds(100);
};

class Scheduler {
 public:
  explicit Scheduler(uint64_t seed) : random(seed) {}

  Deadline now() const { return now_; }
  // The next actor whose time has come goes on until it gives way. nullptr: there is none. Else its process.
  Process* run_next();
  // Nothing happens until then: for who waits for a time when there may be no actor.
  void pass_to(Deadline time) { now_ = std::max(now_, time); }
  std::optional<Deadline> next_time() const;

  // Called by an actor.
  void sleep(Duration duration);
  void give_way();
  Process* current() const;

  SeededRandom random;
  Pace pace;
  int64_t turns = 0;

 private:
  friend class Process;
  struct Fiber {
    Process* process;
    Deadline wake;
    boost::context::fiber context;
  };
  Fiber* next() const;
  void remove(Process& process);

  Deadline now_{std::chrono::hours(1)};
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber* running_ = nullptr;
  boost::context::fiber main_;
};

// Destroying it is kill -9: nothing that its fibers had on their stacks survives, and the locks that they held are
// free.
class Process {
 public:
  Process(Scheduler& scheduler, std::string name) : scheduler_(scheduler), name_(std::move(name)) {}
  ~Process() { scheduler_.remove(*this); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start(std::function<void()> body);
  // SIGSTOP until then.
  void freeze_until(Deadline time) { frozen_until_ = std::max(frozen_until_, time); }
  void wake() { frozen_until_ = {}; }
  bool is_frozen() const { return frozen_until_ > scheduler_.now(); }
  // How many of its fibers have not ended.
  int running() const { return running_; }

  const std::string& name() const { return name_; }

 private:
  friend class Scheduler;
  Scheduler& scheduler_;
  const std::string name_;
  Deadline frozen_until_{};
  int running_ = 0;
};

}  // namespace pg::sim
