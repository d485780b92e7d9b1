// A second cluster behind the public API, for tests: topics in memory, whose records also go to one file, so that the
// next process finds them. It shows that the tools need nothing of the first one.
//
// It has topics of one partition, one broker, and no groups. A process that sends holds a lock on the file.
#pragma once

#include <pilgrimage/cluster.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace memory {

// The records of one topic. An offset is an index.
struct Topic {
  pilgrimage::TopicPartition partition;
  std::vector<pilgrimage::OwnedRecord> records;
};

// All topics, and the file. Thread-safe.
class Store {
 public:
  explicit Store(std::string path) : path_(std::move(path)) {}

  // Reads what other processes have added to the file.
  pilgrimage::Result<> catch_up();
  // Null: there is none.
  std::shared_ptr<const Topic> find(const std::string& name);
  pilgrimage::Result<> create(const std::string& name);
  // Adds records behind those that there are; the offset of the first.
  pilgrimage::Result<pilgrimage::Offset> append(const std::string& name,
                                                const std::vector<pilgrimage::OwnedRecord>& records);

 private:
  pilgrimage::Result<> read_on(int file);
  pilgrimage::Result<> write(const std::string& bytes);

  const std::string path_;
  std::mutex mutex_;  // guards what follows
  size_t seen_ = 0;   // bytes of the file that were read
  std::map<std::string, std::shared_ptr<Topic>> topics_;
};

class MemoryCluster final : public pilgrimage::Cluster {
 public:
  // `path`: of the file, which may not exist yet.
  MemoryCluster(std::string path, pilgrimage::ClusterOptions options);

  const std::string& location() const override { return path_; }
  pilgrimage::Result<std::unique_ptr<pilgrimage::Producer>> open_producer(const std::string& topic,
                                                                          pilgrimage::ProducerOptions options) override;
  pilgrimage::Result<std::unique_ptr<pilgrimage::Consumer>> open_consumer(pilgrimage::ConsumerOptions options) override;
  pilgrimage::Result<std::vector<pilgrimage::OwnedRecord>> read_newest(
      const pilgrimage::ConsumerOptions& options, int64_t count, const pilgrimage::RecordPredicate& wanted) override;
  pilgrimage::Result<std::unique_ptr<pilgrimage::GroupConsumer>> open_group_consumer(
      pilgrimage::GroupConsumerOptions options) override;

 private:
  std::string path_;
  pilgrimage::ClusterOptions options_;
  Store store_;
};

}  // namespace memory
