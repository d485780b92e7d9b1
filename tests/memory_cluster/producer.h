// Sends records to a topic of the cluster in memory.
#pragma once

#include <vector>

#include "core/base/bytes.h"
#include "tests/memory_cluster/memory_cluster.h"

namespace memory {

class MemoryProducer final : public pilgrimage::Producer {
 public:
  MemoryProducer(Store& store, std::string topic, pilgrimage::ProducerOptions options)
      : store_(store), topic_{std::move(topic), pilgrimage::PartitionId(0)}, options_(std::move(options)) {}

  pilgrimage::Result<> send(const pilgrimage::Record& record,
                            std::optional<pilgrimage::PartitionId> partition) override;
  pilgrimage::Result<> send_batches() override;
  std::optional<pilgrimage::Deadline> linger_deadline() const override;
  pilgrimage::Result<> close(bool whole_input) override;
  int32_t max_record_bytes() const override;
  int64_t records_written() const override { return written_; }
  int64_t records_done() const override { return written_; }
  std::optional<pilgrimage::InputProgress> input() const override { return std::nullopt; }
  bool asks_for_schema() const override { return false; }
  int32_t partition_count() const override { return 1; }

 private:
  pilgrimage::Result<> make_topic();

  Store& store_;
  pilgrimage::TopicPartition topic_;
  pilgrimage::ProducerOptions options_;
  std::vector<pilgrimage::OwnedRecord> gathered_;
  size_t gathered_bytes_ = 0;
  pilgrimage::Deadline first_added_{};
  int64_t written_ = 0;
};

}  // namespace memory
