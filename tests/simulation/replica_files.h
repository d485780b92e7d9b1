// What a broker's disk holds of one replica: the log, its epochs, the state page. It survives its processes; of what
// was not synced, a power cut may leave a part. A record is a number, and each has a batch of its own.
#pragma once

#include <memory>
#include <vector>

#include "core/format/checkpoint_text.h"
#include "core/log/state_page.h"
#include "tests/support/seeded_random.h"

namespace pg::sim {

struct Entry {
  LeaderEpoch epoch;
  int64_t value = 0;
  bool unreadable = false;  // on this disk
};

// A file that holds a state page.
struct PageFile {
  StatePage page{};
  bool stale = false;  // the file is gone, or of another boot
};

// A kernel lock.
struct Lock {
  const void* holder = nullptr;
};

// One directory. A replica that is lost and made anew has another one; who has files of the old one open goes on with
// those.
class ReplicaFiles {
 public:
  // What the `.log` files hold, published or not.
  Offset end() const { return first_ + static_cast<int64_t>(entries_.size()); }
  Entry* find(Offset offset);
  bool has_unreadable() const;
  void append(const Entry& entry);
  void sync();
  // Without a sync: after a power cut the bytes may be there again.
  void cut(Offset end);
  void restart(Offset start);

  // Replaced as a whole: visible, and later durable.
  const EpochHistory& epochs() const { return epochs_; }
  void write_epochs(const EpochHistory& epochs) { epochs_ = epochs; }
  void sync_epochs() { epochs_synced_ = epochs_; }

  void lose_page();
  void cut_power(SeededRandom& random);

  std::shared_ptr<PageFile> page;  // null: it must be made
  int mapped = 0;                  // by how many
  Lock append_lock, flush_lock;
  bool known_damage = false;  // somebody has met an entry that cannot be read
  Offset lowest_end;          // since somebody looked

 private:
  Offset first_, synced_;
  std::vector<Entry> entries_;
  std::vector<Entry> cut_off_;  // what stood at `cut_at_` before a cut that was not synced
  Offset cut_at_;
  EpochHistory epochs_, epochs_synced_;
};

struct Disk {
  bool failed = false, full = false;
  bool stopped_cleanly = false;
};

// Where a broker has a replica: its directory, and what the log directory's checkpoints say of it. Those are durable at
// once.
struct Place {
  BrokerId broker;
  PartitionId partition;
  Disk* disk = nullptr;
  std::shared_ptr<ReplicaFiles> files;  // null: lost
  Offset recovery_point, high_watermark, log_start;
  bool spoilt = false;     // something was done to it since it opened an epoch
  bool destroyed = false;  // what it held may be gone; until it has it again
};

}  // namespace pg::sim
