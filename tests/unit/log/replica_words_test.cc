#include "core/log/replica_words.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "tests/support/printing.h"

using namespace pg;

namespace {

constexpr LeaderEpoch kEpoch{7};

// The page of broker 1, which leads brokers 1, 2 and 3 in epoch 7.
class Leader {
 public:
  explicit Leader(const std::vector<BrokerId>& in_sync = {BrokerId(1), BrokerId(2), BrokerId(3)},
                  uint32_t min_in_sync = 1)
      : page_(std::make_unique<StatePage>()) {
    page_->min_in_sync = min_in_sync;
    page_->leader_epoch = kEpoch.value;
    open_slots(*page_, {BrokerId(1), BrokerId(2), BrokerId(3)}, BrokerId(1), in_sync, kEpoch);
  }

  void write(int64_t end, int64_t flushed = 0) {
    LogPosition position;
    position.log_end = Offset(end);
    publish(*page_, position);
    page_->flushed = flushed;
  }
  void follower(size_t slot, int64_t end, int64_t flushed = 0) {
    begin_slot(*page_, slot, kEpoch, Offset(end), Offset(flushed));
  }
  InSync word() const { return InSync::unpack(page_->in_sync); }
  int64_t committed() { return committed_end(*page_, true).value; }
  StatePage& operator*() { return *page_; }
  StatePage* operator->() { return page_.get(); }

 private:
  std::unique_ptr<StatePage> page_;
};

}  // namespace

TEST_CASE("replica_words: the word of replicas in sync has an epoch, a version and a mask") {
  for (const InSync& word : {InSync{LeaderEpoch(0), 0, 0}, InSync{LeaderEpoch(-1), 0, 0},
                             InSync{LeaderEpoch(0x7fffffff), 0xffff, 0xffff}, InSync{LeaderEpoch(1), 2, 4}}) {
    const InSync same = InSync::unpack(word.pack());
    CHECK(same.epoch == word.epoch);
    CHECK(same.version == word.version);
    CHECK(same.mask == word.mask);
  }
  CHECK(InSync{LeaderEpoch(1), 2, 4}.pack() == 0x0000'0001'0002'0004);
  const InSync word{LeaderEpoch(0), 0, 0b1000'0000'0000'0101};
  CHECK(word.has(0));
  CHECK_FALSE(word.has(1));
  CHECK(word.has(2));
  CHECK(word.has(15));
}

TEST_CASE("replica_words: an epoch is opened with a slot for each replica, and nobody has told anything") {
  Leader leader({BrokerId(1), BrokerId(3)});
  CHECK(leader.word().epoch == kEpoch);
  CHECK(leader.word().mask == 0b101);
  CHECK(leader->own_slot == 0);
  CHECK(slot_of(*leader, BrokerId(1)) == 0);
  CHECK(slot_of(*leader, BrokerId(3)) == 2);
  CHECK_FALSE(slot_of(*leader, BrokerId(0)));
  leader.follower(1, 10);
  open_slots(*leader, {BrokerId(3), BrokerId(1)}, BrokerId(1), {BrokerId(1)}, LeaderEpoch(8));
  CHECK(leader.word().mask == 0b10);
  CHECK(leader->own_slot == 1);
  CHECK(slot_of(*leader, BrokerId(3)) == 0);
  CHECK_FALSE(slot_of(*leader, BrokerId(2)));
  for (const auto& slot : leader->slots) CHECK(slot.epoch == -1);
}

TEST_CASE("replica_words: the high watermark is what all replicas in sync have") {
  Leader leader;
  leader.write(10, 9);
  CHECK_FALSE(in_sync_ends(*leader));  // two have told nothing yet
  leader.follower(1, 5, 4);
  CHECK_FALSE(in_sync_ends(*leader));
  CHECK(leader.committed() == 0);
  leader.follower(2, 7, 3);
  REQUIRE(in_sync_ends(*leader));
  CHECK(in_sync_ends(*leader)->log_end == Offset(5));
  CHECK(in_sync_ends(*leader)->flushed == Offset(3));
  CHECK(leader.committed() == 5);
  report_to_slot(*leader, 1, Offset(20), Offset(20));  // what the leader does not have is not committed
  report_to_slot(*leader, 2, Offset(20), Offset(20));
  CHECK(leader.committed() == 10);
  CHECK(in_sync_ends(*leader)->flushed == Offset(9));
}

TEST_CASE("replica_words: a replica out of sync does not hold the high watermark back") {
  Leader leader({BrokerId(1), BrokerId(3)});
  leader.write(10);
  leader.follower(1, 2);
  leader.follower(2, 8);
  CHECK(leader.committed() == 8);
}

TEST_CASE("replica_words: what the leader's own slot says does not count") {
  Leader leader({BrokerId(1)});
  leader.write(10);
  leader.follower(0, 3);
  CHECK(leader.committed() == 10);
}

TEST_CASE("replica_words: with fewer in sync than min.insync.replicas nothing more is committed") {
  Leader leader({BrokerId(1), BrokerId(2)}, 2);
  leader.write(10);
  leader.follower(1, 6);
  CHECK(leader.committed() == 6);
  REQUIRE(change_in_sync(*leader, leader.word(), 0b001));
  CHECK_FALSE(in_sync_ends(*leader));
  CHECK(leader.committed() == 6);
  leader->min_in_sync = 1;
  CHECK(leader.committed() == 10);
}

TEST_CASE("replica_words: a slot counts for its own epoch only") {
  Leader leader({BrokerId(1), BrokerId(2)});
  leader.write(10);
  for (const int32_t other : {kEpoch.value - 1, kEpoch.value + 1, -1}) {
    begin_slot(*leader, 1, LeaderEpoch(other), Offset(9), Offset(9));
    CHECK_FALSE(in_sync_ends(*leader));
  }
  leader.follower(1, 9);
  CHECK(in_sync_ends(*leader));
  clear_slot(*leader, 1);
  CHECK_FALSE(in_sync_ends(*leader));
  CHECK(leader.committed() == 0);
}

TEST_CASE("replica_words: a page that does not lead in the word's epoch commits nothing") {
  Leader leader({BrokerId(1)});
  leader.write(10);
  leader->role = static_cast<uint32_t>(Role::follower);
  CHECK_FALSE(in_sync_ends(*leader));
  leader->role = static_cast<uint32_t>(Role::leader);
  leader->leader_epoch = kEpoch.value + 1;
  CHECK_FALSE(in_sync_ends(*leader));
  leader->leader_epoch = kEpoch.value;
  CHECK(in_sync_ends(*leader));
}

TEST_CASE("replica_words: the high watermark never goes back, and only a writer keeps a new one") {
  Leader leader({BrokerId(1), BrokerId(2)});
  leader.write(10);
  leader.follower(1, 6);
  CHECK(committed_end(*leader, false) == Offset(6));
  CHECK(known_high_watermark(*leader) == Offset(0));
  CHECK(leader.committed() == 6);
  CHECK(known_high_watermark(*leader) == Offset(6));
  leader.follower(1, 2);  // made anew, and out of sync by rights
  CHECK(leader.committed() == 6);
  CHECK(committed_end(*leader, false) == Offset(6));
}

TEST_CASE(
    "replica_words: the high watermark of an epoch is the replica's own once it follows, wherever its offsets are") {
  for (const int64_t from : {int64_t{0}, (int64_t{1} << 47) - 3, int64_t{1} << 60}) {
    Leader leader({BrokerId(1)});
    leader->high_watermark = from;
    open_slots(*leader, {BrokerId(1), BrokerId(2)}, BrokerId(1), {BrokerId(1)}, kEpoch);
    CHECK(known_high_watermark(*leader) == Offset(from));
    leader.write(from + 10);
    CHECK(leader.committed() == from + 10);
    CHECK(leader->high_watermark == from);
    end_leading(*leader);
    leader->role = static_cast<uint32_t>(Role::follower);
    leader->leader_epoch = kEpoch.value + 1;
    CHECK(known_high_watermark(*leader) == Offset(from + 10));
  }
}

TEST_CASE(
    "replica_words: in a page whose epoch an older version has opened, all in sync count and the old word keeps the "
    "high watermark") {
  Leader leader({BrokerId(1), BrokerId(2)}, 2);
  leader->confirmed = 0;
  leader->committed = 0;
  leader.write(10);
  leader.follower(1, 6);
  CHECK_FALSE(has_too_few(*leader));
  CHECK(leader.committed() == 6);
  CHECK(leader->high_watermark == 6);
  leader->confirmed = InSync{LeaderEpoch(3), 1, 1}.pack();  // of an epoch before
  CHECK(confirmed_in_sync(*leader).mask == 0b11);
}

TEST_CASE("replica_words: min.insync.replicas counts whom the metadata names") {
  Leader leader({BrokerId(1)}, 2);
  leader.write(10, 10);
  leader.follower(1, 10, 10);
  REQUIRE(change_in_sync(*leader, leader.word(), 0b011));
  CHECK(has_too_few(*leader));
  CHECK(leader.committed() == 0);
  const InSync seen = InSync::unpack(leader->confirmed);
  CHECK(change_confirmed(*leader, seen, 0b011));
  CHECK_FALSE(change_confirmed(*leader, seen, 0b011));
  CHECK_FALSE(has_too_few(*leader));
  CHECK(leader.committed() == 10);
}

TEST_CASE("replica_words: the mask changes only if the word is still as it was seen") {
  Leader leader({BrokerId(1)});
  const InSync seen = leader.word();
  CHECK(change_in_sync(*leader, seen, 0b011));
  CHECK(leader.word().mask == 0b011);
  CHECK(leader.word().version == 1);
  CHECK_FALSE(change_in_sync(*leader, seen, 0b101));
  CHECK(leader.word().mask == 0b011);
  // There and back: the mask is the same, and the word is not.
  CHECK(change_in_sync(*leader, leader.word(), 0b001));
  CHECK_FALSE(change_in_sync(*leader, seen, 0b101));
  // Another epoch with the same mask and version.
  open_slots(*leader, {BrokerId(1), BrokerId(2)}, BrokerId(1), {BrokerId(1)}, LeaderEpoch(8));
  CHECK_FALSE(change_in_sync(*leader, seen, 0b11));
  CHECK(leader.word().mask == 0b1);
}

TEST_CASE("replica_words: the version goes round without touching the epoch") {
  Leader leader({BrokerId(1)});
  leader->in_sync = InSync{kEpoch, 0xffff, 1}.pack();
  REQUIRE(change_in_sync(*leader, leader.word(), 3));
  CHECK(leader.word().version == 0);
  CHECK(leader.word().epoch == kEpoch);
  CHECK(leader.word().mask == 3);
}

TEST_CASE("replica_words: a word is raised and never lowered") {
  std::atomic<int64_t> word{5};
  raise(word, int64_t{3});
  CHECK(word == 5);
  raise(word, int64_t{8});
  CHECK(word == 8);
}

TEST_CASE("replica_words: while slots are raised, the high watermark is never above the lowest, and never goes back") {
  constexpr int64_t kEnd = 20'000;
  Leader leader;
  leader.write(kEnd, kEnd);
  leader.follower(1, 0);
  leader.follower(2, 0);
  const auto raise_slot = [&](size_t slot, int64_t step) {
    for (int64_t end = 0; end < kEnd;) {
      end = std::min(end + step, kEnd);
      report_to_slot(*leader, slot, Offset(end), Offset(end));
    }
  };
  std::thread second(raise_slot, 1, 1), third(raise_slot, 2, 3);
  bool never_above = true, never_back = true;
  for (int64_t before = 0; before < kEnd;) {
    const int64_t committed = leader.committed();
    // Read afterwards, and they only grow.
    const int64_t lowest = std::min(leader->slots[1].log_end.load(), leader->slots[2].log_end.load());
    never_above &= committed <= lowest;
    never_back &= committed >= before;
    before = committed;
  }
  second.join();
  third.join();
  CHECK(never_above);
  CHECK(never_back);
  CHECK(leader.committed() == kEnd);
}

// Somebody joins and leaves while others write: whoever has its bit set and has told nothing holds everything back.
TEST_CASE("replica_words: while a replica comes and goes, nothing is committed without it") {
  constexpr int kRounds = 2'000;
  Leader leader({BrokerId(1), BrokerId(2)});
  std::atomic<bool> stop{false};
  std::thread others([&] {
    for (int64_t end = 0; !stop; ++end) {
      leader.write(end);
      report_to_slot(*leader, 1, Offset(end), Offset(0));
      (void)committed_end(*leader, true);
      if (end == 0) begin_slot(*leader, 1, kEpoch, Offset(0), Offset(0));
    }
  });
  bool held_back = true;
  for (int round = 0; round < kRounds; ++round) {
    REQUIRE(change_in_sync(*leader, leader.word(), 0b111));
    // Computed before the bit was set, perhaps, but no higher than what was there by now.
    const int64_t joined_at = read_position(*leader).log_end.value;
    held_back &= leader.committed() <= joined_at;
    begin_slot(*leader, 2, kEpoch, Offset(joined_at), Offset(0));
    held_back &= leader.committed() <= joined_at;
    REQUIRE(change_in_sync(*leader, leader.word(), 0b011));
    clear_slot(*leader, 2);
  }
  stop = true;
  others.join();
  CHECK(held_back);
}
