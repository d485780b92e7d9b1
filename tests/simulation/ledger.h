// What was promised for one partition, and whether it is kept: the invariants of the simulation. They are looked at
// after each turn of an actor, from outside: nothing here interrupts anybody or changes anything.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/types.h"
#include "tests/simulation/replica_files.h"

namespace pg::sim {

class World;

enum class Promise { leader, all, flushed };

class Ledger {
 public:
  Ledger(World& world, PartitionId partition) : world_(world), partition_(partition) {}

  void look();

  // A producer was told that the record is there.
  void acknowledge(Promise promise, Offset offset, int64_t value, LeaderEpoch epoch);
  // `files` have become a leader's. Called at that very moment.
  void opened(const Place& place, ReplicaFiles& files, LeaderEpoch epoch);
  // A reader read this below the high watermark. Whether that tells it that all below is committed, too.
  bool read(const Place& place, Offset offset, int64_t value);
  // What a reader has, all of it below what it has read last: nothing of it is lost, and it has passed nothing.
  void compare(const std::string& reader, const std::map<Offset, int64_t>& kept) const;
  // How often committed records were lost.
  int64_t losses() const { return losses_; }
  Offset start() const { return start_; }
  void trimmed(Offset start) {
    const Uninterrupted alone;
    look();  // what was committed in this very turn
    // A leader that an unclean election has replaced may not know that yet, and deletes what was committed in its own
    // log.
    if (start <= end()) start_ = std::max(start_, start);
  }

  // From here on only what was flushed must survive.
  void power_cut();
  // A replica was lost or spoilt: what one leader alone had may be gone.
  void excuse_leaders_own() { own_.clear(); }

  Offset end() const { return Offset(static_cast<int64_t>(records_.size())); }
  int64_t acknowledged() const { return acknowledged_; }

 private:
  // A record below some high watermark.
  struct Record {
    int64_t value = 0;
    bool promised = false, flushed = false;
  };
  struct Own {  // acknowledged by a leader alone
    Offset offset;
    int64_t value;
  };
  // A committed record that a leader elected without regard to what is in sync does not have.
  struct Lost {
    Offset offset;
    LeaderEpoch epoch;  // of that leader
    int destroyed = 0;  // how many replicas were, by then
  };
  // What was seen of one replica before.
  struct Seen {
    std::weak_ptr<ReplicaFiles> files;
    std::weak_ptr<PageFile> page;
    LeaderEpoch leads{-1};
    Offset high_watermark, checked;
    Offset agrees;            // its entries below are those of the ledger
    LeaderEpoch excused{-1};  // of a lossy election, until it follows that leader and has what the leader has
    bool is_excused() const { return excused >= LeaderEpoch(0); }
  };

  void look_at(const Place& place);
  void check_high_watermark(const Place& place, Seen& seen);
  void check_in_sync();
  LeaderEpoch last_opened() const;
  bool is_lossy_election_open() const;
  bool is_sound(const Place& place) const;
  Offset agreement(ReplicaFiles& files, Offset from) const;
  bool add_unnoted(Offset offset);
  int destroyed() const;
  void add(Offset offset, int64_t value);
  void lose_from(Offset offset, const Place& place, LeaderEpoch epoch);
  bool was_committed_before(int64_t value, Offset offset, LeaderEpoch epoch) const;
  void fail(const std::string& why) const;

  World& world_;
  const PartitionId partition_;
  Offset start_;
  std::vector<Record> records_;  // from offset 0
  std::unordered_map<int64_t, Offset> offsets_;
  std::vector<Own> own_;
  std::unordered_map<int64_t, Lost> lost_;
  std::map<BrokerId, Seen> seen_;
  std::map<LeaderEpoch, BrokerId> opened_;
  int64_t acknowledged_ = 0, losses_ = 0;
};

}  // namespace pg::sim
