#include "core/local/local_cluster.h"

#include <utility>

#include "core/local/consumer.h"
#include "core/local/group_consumer.h"
#include "core/local/newest_records.h"
#include "core/local/producer.h"

namespace pg {

Result<std::unique_ptr<pilgrimage::Cluster>> LocalCluster::open(const Env& env, const std::string& location,
                                                                const pilgrimage::ClusterOptions& options) {
  PG_ASSIGN(auto home, Home::open(env, location, {.make = options.create, .base = options.create_below}));
  return std::unique_ptr<pilgrimage::Cluster>(new LocalCluster(std::move(home)));
}

Result<std::unique_ptr<pilgrimage::Producer>> LocalCluster::open_producer(const std::string& topic,
                                                                          pilgrimage::ProducerOptions options) {
  return LocalProducer::open(*home_, topic, std::move(options));
}

Result<std::unique_ptr<pilgrimage::Consumer>> LocalCluster::open_consumer(pilgrimage::ConsumerOptions options) {
  return LocalConsumer::open(*home_, std::move(options));
}

Result<std::vector<pilgrimage::OwnedRecord>> LocalCluster::read_newest(const pilgrimage::ConsumerOptions& options,
                                                                       int64_t count,
                                                                       const pilgrimage::RecordPredicate& wanted) {
  return pg::read_newest(*home_, options, count, wanted);
}

Result<std::unique_ptr<pilgrimage::GroupConsumer>> LocalCluster::open_group_consumer(
    pilgrimage::GroupConsumerOptions options) {
  return LocalGroupConsumer::open(*home_, std::move(options));
}

}  // namespace pg
