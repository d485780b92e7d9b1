// What a broker does to its replicas besides replicating: what was written is on stable storage soon, checkpoints say
// how far that is and how far the records are committed, and what the topics' configs no longer keep goes. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/cluster/disk_replica.h"
#include "core/cluster/topic_list.h"

namespace pg {

class Upkeep {
 public:
  // Borrows `home`.
  Upkeep(const Home& home, BrokerId self, std::function<void(const std::string&)> tell);

  void turn();
  // Everything on stable storage, and noted. The replicas are not written to any more.
  Result<> finish();
  // Returns once every append to one of the replicas that had begun is over.
  Result<> await_appends();
  // Whether some replica lacks records that were acknowledged, has some that cannot be read, or may have lost some
  // since a flush failed.
  bool has_doubtful();
  // Opens every replica, so that what a restart of the machine has left is settled.
  void open_all();

 private:
  struct Kept {
    std::shared_ptr<const TopicMetadata> topic;
    std::unique_ptr<DiskReplica> replica;
    std::optional<Offset> active;  // the segment at the last clean-up
    bool clock_said = false;       // this has reported that the clock cannot be believed
  };
  void take_over_topics();
  Result<> flush(Kept& kept);
  void clean_up(Kept& kept);
  Result<> note_checkpoints();

  const Home& home_;
  const BrokerId self_;
  std::function<void(const std::string&)> tell_;
  TopicList topics_;
  std::map<TopicPartition, Kept> kept_;
  Deadline checkpoints_due_{}, clean_up_due_{};
};

}  // namespace pg
