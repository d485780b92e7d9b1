// What a process computes from the words of a state page while others change them: the change comes before each of its
// accesses in turn.
#include "core/log/replica_words.h"

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <memory>

#include "tests/simulation/step.h"
// Compiled here, with words that call sim::step().
#include "core/log/replica_words.cc"

namespace pg::sim {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
int64_t steps_left = kNever;
std::function<void()> meanwhile;

void give_way() {
  steps_left = kNever;
  meanwhile();
}

}  // namespace pg::sim

using namespace pg;

namespace {

constexpr LeaderEpoch kEpoch{7};

// The page of broker 1, which leads brokers 1 and 2 in epoch 7.
class Page {
 public:
  explicit Page(const std::vector<BrokerId>& in_sync, uint32_t min_in_sync = 1) : page_(std::make_unique<StatePage>()) {
    page_->min_in_sync.store(min_in_sync);
    lead(kEpoch, in_sync);
  }
  void lead(LeaderEpoch epoch, const std::vector<BrokerId>& in_sync) {
    end_leading(*page_);
    page_->role.store(static_cast<uint32_t>(Role::follower));
    open_slots(*page_, {BrokerId(1), BrokerId(2)}, BrokerId(1), in_sync, epoch);
    page_->leader_epoch.store(epoch.value);
    page_->role.store(static_cast<uint32_t>(Role::leader));
  }
  void follow(LeaderEpoch epoch) {
    raise(page_->fenced, epoch.value);
    end_leading(*page_);
    page_->role.store(static_cast<uint32_t>(Role::follower));
    page_->leader_epoch.store(epoch.value);
  }
  void end_at(int64_t end) {
    LogPosition position;
    position.log_end = Offset(end);
    publish(*page_, position);
  }
  void follower(int64_t end) {
    const LeaderEpoch epoch(page_->leader_epoch.load());
    begin_slot(*page_, 1, epoch, Offset(end), Offset(end));
  }
  InSync in_sync() const { return InSync::unpack(page_->in_sync.load()); }
  InSync confirmed() const { return InSync::unpack(page_->confirmed.load()); }
  StatePage& operator*() { return *page_; }
  StatePage* operator->() { return page_.get(); }

 private:
  std::unique_ptr<StatePage> page_;
};

// `work` on a page that `make` has made, with `change` before its nth access; for each n.
void with_change_before_each_access(const std::function<Page()>& make, const std::function<void(Page&)>& change,
                                    const std::function<void(Page&)>& work) {
  bool changed = true;
  for (int64_t n = 0; changed; ++n) {
    CAPTURE(n);
    Page page = make();
    changed = false;
    sim::meanwhile = [&] {
      changed = true;
      change(page);
    };
    sim::steps_left = n;
    work(page);
    sim::steps_left = sim::kNever;
    if (n == 0) CHECK(changed);
  }
}

}  // namespace

TEST_CASE("replica_words, interrupted: no end is computed without a replica that has begun to join") {
  with_change_before_each_access(
      [] {
        Page page({BrokerId(1)});
        page.end_at(10);
        page.follower(5);
        return page;
      },
      [](Page& page) {
        CHECK(change_in_sync(*page, page.in_sync(), 0b11));
        page.end_at(20);
      },
      [](Page& page) {
        const auto ends = in_sync_ends(*page);
        REQUIRE(ends);
        CHECK(ends->log_end <= Offset(10));
        sim::steps_left = sim::kNever;
        CHECK(committed_end(*page, true) <= Offset(10));
      });
}

TEST_CASE(
    "replica_words, interrupted: min.insync.replicas does not count a replica that the metadata is about to lose") {
  with_change_before_each_access(
      [] {
        Page page({BrokerId(1), BrokerId(2)}, 2);
        page.end_at(10);
        page.follower(10);
        return page;
      },
      [](Page& page) {
        CHECK(change_confirmed(*page, page.confirmed(), 0b01));
        page.end_at(20);
        page.follower(20);
      },
      [](Page& page) {
        const auto ends = in_sync_ends(*page);
        CHECK((!ends || ends->log_end == Offset(10)));
      });
}

TEST_CASE("replica_words, interrupted: what a later leader has committed says nothing of an earlier epoch") {
  with_change_before_each_access(
      [] {
        Page page({BrokerId(1)});
        page.end_at(10);
        return page;
      },
      [](Page& page) {
        page.follow(LeaderEpoch(8));
        page.end_at(3);
        page.lead(LeaderEpoch(9), {BrokerId(1)});
        page.end_at(20);
      },
      [](Page& page) {
        const Reached reached = has_reached(*page, kEpoch, Offset(15), false, true);
        CHECK(reached != Reached::yes);
      });
}

TEST_CASE("replica_words, interrupted: a high watermark that is stored late is none of a log that was cut meanwhile") {
  for (const bool leads_again : {false, true}) {
    with_change_before_each_access(
        [] {
          Page page({BrokerId(1), BrokerId(2)});
          page.end_at(10);
          page.follower(6);
          return page;
        },
        [&](Page& page) {
          // An election that asked nobody in sync.
          page.follow(LeaderEpoch(8));
          page->high_watermark.store(3);
          page.end_at(3);
          if (!leads_again) return;
          page.lead(LeaderEpoch(9), {BrokerId(1), BrokerId(2)});
          page.end_at(5);
          page.follower(5);
          CHECK(committed_end(*page, true) == Offset(5));
        },
        [&](Page& page) {
          committed_end(*page, true);
          sim::steps_left = sim::kNever;
          const bool cut = page->leader_epoch.load() != kEpoch.value;
          CHECK(known_high_watermark(*page) == Offset(!cut ? 6 : leads_again ? 5 : 3));
        });
  }
}
