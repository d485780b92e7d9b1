// Where pg-consume gets its batches: topics as a whole, or what a consumer group assigns to this member.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/pg-consume/options.h"

namespace pg {

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // See Consumer::poll and at_end.
  virtual Result<std::optional<ConsumedBatch>> poll(Deadline deadline) = 0;
  virtual bool at_end() const = 0;

  // For who wants no batch for a while: gives up partitions that others are to read, as poll() does.
  virtual Result<> attend() { return {}; }

  // Everything of the partition below `next` was delivered: the first part of a commit.
  virtual void delivered(const TopicPartition&, Offset /*next*/, LeaderEpoch) {}
  // Whether delivered records wait for a commit that is due by now.
  virtual bool commit_is_due() const { return false; }
  // What was delivered is committed. Not being a member any more is no error here: poll() joins again.
  virtual Result<> commit() { return {}; }
  // Commits, and gives up what was assigned.
  virtual Result<> finish() { return {}; }
  // Commands that work on records of the topic inherit it; see GroupConsumer.
  virtual std::optional<int> ownership_descriptor(const std::string&) const { return std::nullopt; }
};

std::unique_ptr<BatchSource> open_nothing();  // has no batches
Result<std::unique_ptr<BatchSource>> open_topics(Cluster& cluster, ConsumerOptions options);

// `release`: delivers what was handed out of a partition, before it is given up.
using Release = std::function<Result<>(const TopicPartition&)>;
Result<std::unique_ptr<BatchSource>> open_group(const Env& env, Cluster& cluster, const ConsumeOptions& options,
                                                ConsumerOptions reading, Release release);

}  // namespace pg
