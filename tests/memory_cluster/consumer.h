// Reads topics of the cluster in memory.
#pragma once

#include <vector>

#include "tests/memory_cluster/memory_cluster.h"

namespace memory {

class MemoryConsumer final : public pilgrimage::Consumer {
 public:
  static pilgrimage::Result<std::unique_ptr<MemoryConsumer>> open(Store& store, pilgrimage::ConsumerOptions options);

  pilgrimage::Result<std::optional<pilgrimage::ConsumedBatch>> poll(pilgrimage::Deadline deadline) override;
  pilgrimage::Result<std::optional<pilgrimage::ConsumedRecord>> next_record(pilgrimage::Deadline deadline) override;
  bool at_end() const override;

 private:
  struct Source {
    std::shared_ptr<const Topic> topic;
    pilgrimage::Offset next;
    std::optional<pilgrimage::Offset> to;
    pilgrimage::Offset end() const;
  };
  // The records of `topic` from `next` to below `end`.
  class Records final : public pilgrimage::BatchRecords {
   public:
    pilgrimage::Result<bool> next(pilgrimage::ConsumedRecord& record) override;
    std::shared_ptr<const Topic> topic;
    pilgrimage::Offset at, end;
  };

  MemoryConsumer(Store& store, pilgrimage::ConsumerOptions options) : store_(store), options_(std::move(options)) {}
  pilgrimage::Result<> add(const std::string& name);
  pilgrimage::ConsumedBatch hand_out(Source& source);

  Store& store_;
  pilgrimage::ConsumerOptions options_;
  std::vector<Source> sources_;
  Records records_;
  std::optional<pilgrimage::ConsumedBatch> batch_;  // of next_record()
};

}  // namespace memory
