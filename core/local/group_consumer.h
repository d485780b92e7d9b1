// The reader that is a member of a consumer group, on the files of one host.
#pragma once

#include <pilgrimage/group_consumer.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/group/membership.h"
#include "core/local/consumer.h"

namespace pg {

using pilgrimage::DeliveredOffset;
using pilgrimage::GroupConsumerOptions;
using pilgrimage::OffsetReset;

class LocalGroupConsumer final : public pilgrimage::GroupConsumer {
 public:
  // Whether threads look at the group while nobody polls; if not, attend() and poll() do.
  enum class Looking { by_itself, in_calls };

  // Borrows `home`. Errors: those of Membership::join.
  static Result<std::unique_ptr<LocalGroupConsumer>> open(Home& home, GroupConsumerOptions options,
                                                          Looking looking = Looking::by_itself);

  Result<std::optional<ConsumedBatch>> poll(Deadline deadline) override;
  Result<> attend() override;
  bool at_end() const override;
  void delivered(const TopicPartition& partition, Offset next, LeaderEpoch epoch) override;
  Result<> commit() override;
  std::vector<DeliveredOffset> positions() const override;
  Result<> leave() override;
  std::optional<int> ownership_descriptor(const std::string& topic) const override;

 private:
  LocalGroupConsumer(Home& home, GroupConsumerOptions options, Looking looking)
      : home_(home), options_(std::move(options)), looking_(looking) {}
  Result<bool> give_up(const std::set<TopicPartition>& partitions);
  Result<bool> take_over(const std::set<TopicPartition>& partitions);
  Result<> rejoin();
  Result<> look_for_leftovers();
  Result<> start(const std::set<TopicPartition>& partitions);
  Result<> pass_deleted(const Error& error);
  Result<> go_back(const LostRecords& lost);
  Result<Offset> committed_start(const TopicPartition& partition, PartitionLog& log, const CommittedOffset& last,
                                 EpochGuard& epochs);
  Result<Offset> first_offset(const TopicMetadata& topic, const TopicPartition& partition,
                              const CommittedOffsets& committed);
  Deadline deadline() const { return home_.env().clock.after(options_.timeout); }

  Home& home_;
  GroupConsumerOptions options_;
  Looking looking_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<LocalConsumer> consumer_;
  int64_t followed_changes_ = -1;  // of Membership::changes()
  std::set<TopicPartition> owned_;
  std::map<std::string, Uuid> topic_ids_;  // of what is owned

  // Partitions that this member waits for.
  struct Awaited {
    std::set<TopicPartition> partitions;  // assigned, and not yet let go by their last owner
    Deadline since, next_look;
    bool noted = false;
  };
  Awaited awaited_;

  CommittedOffsets positions_;
  std::map<TopicPartition, Offset> begun_at_;  // of all partitions that it has, or has had
  bool uncommitted_ = false;
};

}  // namespace pg
