#include "tests/memory_cluster/memory_cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/result.h"
#include "tests/memory_cluster/consumer.h"
#include "tests/memory_cluster/producer.h"

namespace memory {

using namespace pilgrimage;

MemoryCluster::MemoryCluster(std::string path, ClusterOptions options)
    : path_(std::move(path)), options_(std::move(options)), store_(path_) {}

Result<std::unique_ptr<Producer>> MemoryCluster::open_producer(const std::string& topic, ProducerOptions options) {
  if (options.name) return fail(Errc::unsupported_version, fmt::format("'{}' knows no ids of inputs", path_));
  PG_CHECK(check_topic_name(topic));
  PG_CHECK(store_.catch_up());
  if (!options.create_topic && !store_.find(topic)) return fail(Errc::not_found, fmt::format("no topic '{}'", topic));
  return std::make_unique<MemoryProducer>(store_, topic, std::move(options));
}

Result<std::unique_ptr<Consumer>> MemoryCluster::open_consumer(ConsumerOptions options) {
  return MemoryConsumer::open(store_, std::move(options));
}

Result<std::vector<OwnedRecord>> MemoryCluster::read_newest(const ConsumerOptions& options, int64_t count,
                                                            const RecordPredicate& wanted) {
  ConsumerOptions all = options;
  all.from = {};
  all.to.reset();
  all.follow = false;
  PG_ASSIGN(const auto consumer, MemoryConsumer::open(store_, std::move(all)));
  std::vector<OwnedRecord> records;
  for (;;) {
    PG_ASSIGN(const auto record, consumer->next_record(kNoDeadline));
    if (!record) break;
    if (!wanted || wanted(*record)) records.emplace_back(*record);
  }
  std::ranges::stable_sort(records, {}, &OwnedRecord::timestamp_ms);
  const auto surplus = std::max<int64_t>(0, static_cast<int64_t>(records.size()) - count);
  records.erase(records.begin(), records.begin() + surplus);
  return records;
}

Result<std::unique_ptr<GroupConsumer>> MemoryCluster::open_group_consumer(GroupConsumerOptions) {
  return fail(Errc::unsupported_version, fmt::format("'{}' knows no groups", path_));
}

}  // namespace memory

namespace pilgrimage {

// In place of the library's, where programs of the tests are linked with it.
Result<std::unique_ptr<Cluster>> open_cluster(const std::string& location, ClusterOptions options) {
  if (!options.create && access(location.c_str(), F_OK) != 0)
    return fail(Errc::not_found, fmt::format("no home directory '{}'", location));
  return std::make_unique<memory::MemoryCluster>(location, std::move(options));
}

}  // namespace pilgrimage
