// The entry to the library: a cluster, which hands out everything else.
//
//   auto cluster = pilgrimage::open_cluster("/var/lib/pilgrimage");
//   auto producer = (*cluster)->open_producer("orders");
#pragma once

#include <pilgrimage/consumer.h>
#include <pilgrimage/group_consumer.h>
#include <pilgrimage/producer.h>
#include <pilgrimage/result.h>
#include <pilgrimage/types.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pilgrimage {

struct ClusterOptions {
  // Whether the first topic creates a cluster where there is none. If not, open_cluster() fails with not_found.
  bool create = true;
  // The folder below which folders that are missing on the way to the location are created. Empty: the parent of the
  // location must exist.
  std::string create_below = {};
  // Called with one line for people when something was repaired or is odd. Any thread may call it.
  std::function<void(const std::string&)> notice = {};
};

// One cluster: its topics, brokers and groups. Thread-safe. What it hands out must not outlive it.
class Cluster {
 public:
  virtual ~Cluster() = default;

  // Where the cluster is, as open_cluster() was told.
  virtual const std::string& location() const = 0;

  // A writer of one topic. A topic that does not exist is created, with one partition, by the first send() of a record
  // that it can take, or by close() of a whole input. Errors: not_found (no such topic, and options.create_topic is
  // false), invalid_argument, and those of sending.
  virtual Result<std::unique_ptr<Producer>> open_producer(const std::string& topic, ProducerOptions options = {}) = 0;

  // A reader of topics. Errors: not_found (topic, partition), out_of_range (an offset that no chosen partition has; a
  // notice names partitions that alone lack it, and they are left out).
  virtual Result<std::unique_ptr<Consumer>> open_consumer(ConsumerOptions options) = 0;

  // The `count` newest records over all chosen partitions, of those that are `wanted` (empty: all), oldest first;
  // within a partition in offset order. `options.from`, `to` and `follow` do not count.
  virtual Result<std::vector<OwnedRecord>> read_newest(const ConsumerOptions& options, int64_t count,
                                                       const RecordPredicate& wanted = {}) = 0;

  // A reader that joins a consumer group. Errors: not_found (a topic), invalid_argument (the group's name), conflict
  // (the members use another assignor), limit, unsupported_version (the location knows no groups).
  virtual Result<std::unique_ptr<GroupConsumer>> open_group_consumer(GroupConsumerOptions options) = 0;
};

// Opens the cluster at `location`: the path of a home directory on a local file system. Creates nothing yet. Errors:
// not_found (no cluster, and options.create is false), io, invalid_argument, corrupt, unsupported_version.
Result<std::unique_ptr<Cluster>> open_cluster(const std::string& location, ClusterOptions options = {});

// Whether a topic or a group may have the name. invalid_argument says why not.
Result<> check_topic_name(std::string_view name);
Result<> check_group_name(std::string_view name);

}  // namespace pilgrimage
