#include "tests/simulation/scheduler.h"

#include <algorithm>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <limits>

namespace pg::sim {
namespace {

constexpr int64_t kNoSteps = std::numeric_limits<int64_t>::max();

// Of the simulation that runs: a word of shared memory does not know whose it is.
Scheduler* active = nullptr;

boost::context::pooled_fixedsize_stack& stacks() {
  static boost::context::pooled_fixedsize_stack pool(64 << 10);
  return pool;
}

}  // namespace

int64_t steps_left = kNoSteps;

void give_way() {
  if (active != nullptr) active->give_way();
}

Process* Scheduler::current() const { return running_ != nullptr ? running_->process : nullptr; }

Scheduler::Fiber* Scheduler::next() const {
  Fiber* first = nullptr;
  Deadline earliest = Deadline::max();
  for (const auto& fiber : fibers_) {
    const Deadline due = std::max(fiber->wake, fiber->process->frozen_until_);
    if (due >= earliest) continue;
    earliest = due;
    first = fiber.get();
  }
  return first;
}

std::optional<Deadline> Scheduler::next_time() const {
  const Fiber* const fiber = next();
  if (fiber == nullptr) return std::nullopt;
  return std::max({now_, fiber->wake, fiber->process->frozen_until_});
}

Process* Scheduler::run_next() {
  Fiber* const fiber = next();
  if (fiber == nullptr) return nullptr;
  Process* const process = fiber->process;
  now_ = std::max({now_, fiber->wake, process->frozen_until_});
  ++turns;
  active = this;
  running_ = fiber;
  steps_left = static_cast<int64_t>(random.below(2 * pace.steps));
  fiber->context = std::move(fiber->context).resume();
  steps_left = kNoSteps;
  running_ = nullptr;
  if (!fiber->context) {
    --process->running_;
    std::erase_if(fibers_, [&](const auto& entry) { return entry.get() == fiber; });
  }
  return process;
}

// Mostly for a moment; sometimes for as long as others need for all that they do.
void Scheduler::give_way() {
  if (running_ == nullptr) return;  // nobody interrupts who looks on, nor who is being killed
  sleep(random.one_in(16) ? pace.pause * 16
                          : Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(pace.pause.count())))));
}

void Scheduler::sleep(Duration duration) {
  if (running_ == nullptr) return;
  running_->wake = now_ + duration;
  main_ = std::move(main_).resume();
}

void Scheduler::remove(Process& process) {
  active = this;
  for (auto& fiber : fibers_) {
    if (fiber->process == &process) fiber->context = {};
  }
  std::erase_if(fibers_, [&](const auto& fiber) { return fiber->process == &process; });
}

void Process::start(std::function<void()> body) {
  auto fiber = std::make_unique<Scheduler::Fiber>();
  fiber->process = this;
  fiber->wake = scheduler_.now_;
  fiber->context =
      boost::context::fiber(std::allocator_arg, stacks(), [this, body = std::move(body)](boost::context::fiber&& main) {
        scheduler_.main_ = std::move(main);
        body();
        return std::move(scheduler_.main_);
      });
  scheduler_.fibers_.push_back(std::move(fiber));
  ++running_;
}

}  // namespace pg::sim
